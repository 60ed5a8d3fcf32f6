"""The pages by which people use a site, asked for as a browser does, with the files that they name."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http import HTTPStatus
from urllib.parse import urljoin, urlsplit

import httpx

from stayput.proof import Check
from stayput.proof.links import in_page, in_stylesheet
from stayput.proof.upload import UPLOADS
from stayput.proof.visit import Wrong, bare, guarded, visit

HOPS = 10  # redirects that are followed
FILES = 200  # of one page
AT_ONCE = 8
STYLESHEET = 2**21  # bytes of a stylesheet that are read
ACCEPT = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SHUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)  # a page that asks who is there is no fault
GONE = (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
PORTS = {"http": 80, "https": 443}
MEDIA = ("image/", "video/", "audio/", "font/", "application/octet-stream")
NO_PAGES = (".css", ".js", ".mjs", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".ico", ".woff", ".woff2")


def check_pages(address: str, public: str, pages: Sequence[str] | None, *, uploads: str = UPLOADS) -> Iterator[Check]:
    """A check for each page. Never raises for what the site does.

    address: where the release answers. public: what people type, where that is another address. pages: paths; None
    stands for "/", where there is one. uploads: the path below which files are uploads, and none of the release.
    """
    public = (public or address).rstrip("/")
    direct = _place(address) != _place(public)
    by_edge = {"Host": urlsplit(public).netloc} if direct else {}
    with visit(address, ACCEPT | by_edge) as client:
        browser = Browser(client, address, public, direct=direct, uploads=uploads)
        for path in ("/",) if pages is None else pages:
            yield guarded(f"page {path}", partial(browser.look_at, path, optional=pages is None))


class Browser:
    """Follows redirects inside of the site, keeps its cookies, and knows what was asked for already.

    direct: the client leads to the release itself, past the edge that has the public name.
    """

    def __init__(self, client: httpx.Client, address: str, public: str, *, direct: bool, uploads: str) -> None:
        self.client, self.address, self.public = client, address, public
        self.direct, self.uploads = direct, uploads
        self._found: dict[str, str] = {}  # by address: what is wrong with a file, or an empty text

    def look_at(self, path: str, *, optional: bool) -> str:
        """What is found at that path, in words. Raises Wrong. optional: there may be no such page."""
        first = self.public + path
        answer, url = self._follow(first)
        if answer is None:
            return f"leads to another site: {bare(url)}"
        status, led = answer.status_code, f"leads to {bare(url)}, which " if url != first else ""
        if status in SHUT:
            return f"{led}asks for a login ({status})"
        if optional and not led and status in (*GONE, HTTPStatus.METHOD_NOT_ALLOWED):
            return f"there is none ({status})"
        if not answer.is_success:
            raise Wrong(f"{led}answers {status}", _remedy(status, self.public))
        if _is_text(answer) and not answer.content.strip():
            raise Wrong(f"{led}answers {status} and nothing else")
        if not _is_html(answer):
            return f"{led}answers {status}"
        return f"{led}answers {status}, {self._check_files(in_page(answer.text, url))}"

    def _check_files(self, named: Sequence[str]) -> str:
        """Ask for the site's own among those files. Raises Wrong where one does not load."""
        own = [url for url in named if self._is_own_file(url)]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            wrong = [one for found in pool.map(self._load, own[:FILES]) for one in found]
        if wrong:
            more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
            remedy = "deploy the file, or take its name out: is it built, and not left out by .gitignore?"
            raise Wrong(f"names {'; '.join(dict.fromkeys(wrong[:3]))}{more}", remedy)
        left = f" of {len(own)}" if len(own) > FILES else ""
        return f"with its {len(own[:FILES])}{left} files" if own else "with no file of its own"

    def _load(self, url: str) -> list[str]:
        """What is wrong with a file, and with the files that it names where it is a stylesheet."""
        answer, wrong = self._file(url)
        if wrong or answer is None or "css" not in answer.headers.get("content-type", ""):
            return [wrong] if wrong else []
        named = in_stylesheet(answer.text[:STYLESHEET], url)
        found = [self._file(one)[1] for one in named[:FILES] if self._is_own_file(one)]
        return [f"{one}, named by {urlsplit(url).path}" for one in found if one]

    def _file(self, url: str) -> tuple[httpx.Response | None, str]:
        """(its answer, what is wrong with it); an answer is given once."""
        if url in self._found:
            return None, self._found[url]
        path, answer = urlsplit(url).path, None
        try:
            answer, _ = self._follow(url)
            wrong = _fault(path, answer) if answer else ""
        except Wrong as finding:
            wrong = f"{path}, which {finding}"
        except httpx.HTTPError as problem:
            wrong = f"{path}, which does not answer ({type(problem).__name__})"
        self._found[url] = wrong
        return answer, wrong

    def _follow(self, url: str) -> tuple[httpx.Response | None, str]:
        """(the last answer, its public address); no answer where it is another site's. Raises Wrong for a loop."""
        been = [url]
        for _ in range(HOPS):
            answer = self._ask(url)
            if not answer.has_redirect_location:
                return answer, url
            url = urljoin(url, answer.headers["location"]).partition("#")[0]
            if not self._is_own(url):
                return None, url
            if _place(url) == _place(self.public) and url.startswith("https:") and self.public.startswith("http:"):
                raise Wrong(f"leads to {bare(url)}, where nothing answers https", "look at SECURE_SSL_REDIRECT")
            been.append(url)
        raise Wrong(*_loop(been))

    def _ask(self, url: str) -> httpx.Response:
        """The answer; what is no text is not read: a video may be long."""
        parts, more = urlsplit(url), {}
        if self.direct:
            url = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
            more = {"X-Forwarded-Proto": parts.scheme}
        answer = self.client.send(self.client.build_request("GET", url, headers=more), stream=True)
        try:
            if _is_text(answer):
                answer.read()
        finally:
            answer.close()
        return answer

    def _is_own(self, url: str) -> bool:
        """Whether an address is of this site, over http or https."""
        public, place = _place(self.public), _place(url)
        return place in (public, _place(self.address)) or (
            place[0] == public[0] and {place[1], public[1]} <= set(PORTS.values())
        )

    def _is_own_file(self, url: str) -> bool:
        return self._is_own(url) and not urlsplit(url).path.startswith(self.uploads)


def _place(url: str) -> tuple[str, int]:
    """Host and port of an address; none where it is not one."""
    parts = urlsplit(url)
    try:
        return parts.hostname or "", parts.port or PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", 0


def _is_html(answer: httpx.Response) -> bool:
    return "html" in answer.headers.get("content-type", "")


def _is_text(answer: httpx.Response) -> bool:
    return not answer.headers.get("content-type", "").startswith(MEDIA)


def _fault(path: str, answer: httpx.Response) -> str:
    """What is wrong with a file of the site; an empty text where it loads."""
    status = answer.status_code
    if status in GONE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{path}, which answers {status}"
    if answer.is_success and _is_html(answer) and path.lower().endswith(NO_PAGES):
        return f"{path}, which answers with a page"
    return ""


def _loop(been: Sequence[str]) -> tuple[str, str]:
    """Redirects that do not end, in words, and what to do about them."""
    before, last = been[-2:]
    said = f"leads on for ever: after {HOPS} redirects from {bare(before)} to {bare(last)}"
    if before.partition(":")[2] != last.partition(":")[2]:
        return said, "look at its redirects"
    return said, "let Django know what came over https: SECURE_PROXY_SSL_HEADER, SECURE_SSL_REDIRECT"


def _remedy(status: int, public: str) -> str:
    if status == HTTPStatus.BAD_REQUEST:
        return f"let the site answer under its name: {urlsplit(public).hostname} belongs in ALLOWED_HOSTS"
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return "look at [proof] pages in stayput.toml, and at the site's urls.py"
    return ""
