"""The files that a page or a stylesheet names. Pure."""

import contextlib
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from urllib.parse import urljoin

# Relations of a <link> to a file that the browser loads; "canonical" and the like are pages.
FILES = frozenset(
    {"stylesheet", "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "mask-icon", "manifest"}
    | {"preload", "modulepreload"}
)
SOURCES: Mapping[str, tuple[str, ...]] = {
    "script": ("src",),
    "img": ("src",),
    "source": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "embed": ("src",),
    "input": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
IN_CSS = re.compile(
    r"""url\(\s*(?:"([^"]*)"|'([^']*)'|([^)'"\s]*))\s*\)|@import\s+(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE
)


def in_page(html: str, url: str) -> tuple[str, ...]:
    """The addresses of all files that the page at `url` names, absolute, each once, in their order."""
    reader = _Reader(url)
    with contextlib.suppress(AssertionError):  # a declaration that the parser cannot read; a browser drops it
        reader.feed(html)
        reader.close()
    return _each_once(reader.found)


def in_stylesheet(css: str, url: str) -> tuple[str, ...]:
    """The addresses of all files that a stylesheet at `url` names, absolute, each once, in their order."""
    return _each_once(_joined(url, address) for address in _named(css))


class _Reader(HTMLParser):
    """What a browser without JavaScript loads; what is inside of <template> it does not."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._base, self._templates, self._style = url, 0, False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value.strip() for name, value in attrs if value and value.strip()}
        self._templates += tag == "template"
        self._style = tag == "style"
        if tag == "base" and "href" in given:
            self._base = _joined(self._base, given["href"]) or self._base
        if self._templates:
            return
        addresses = [given[name] for name in SOURCES.get(tag, ()) if name in given]
        if tag == "link" and FILES & set(given.get("rel", "").lower().split()):
            addresses += [given["href"]] if "href" in given else []
            addresses += _candidates(given.get("imagesrcset", ""))
        if tag in ("img", "source"):
            addresses += _candidates(given.get("srcset", ""))
        addresses += _named(given.get("style", ""))
        self.found += [_joined(self._base, address) for address in addresses]

    def handle_endtag(self, tag: str) -> None:
        self._templates -= tag == "template" and self._templates > 0
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style and not self._templates:
            self.found += [_joined(self._base, address) for address in _named(data)]


def _named(css: str) -> Iterator[str]:
    for groups in IN_CSS.findall(COMMENT.sub("", css)):
        yield from (address.strip() for address in groups if address.strip())


def _candidates(srcset: str) -> Iterator[str]:
    """The addresses of a srcset, without what each is for. An address may have commas in it, but not at its end."""
    while rest := srcset.lstrip(" \t\n\r\f,"):
        address, *more = rest.split(maxsplit=1)
        srcset = more[0] if more else ""
        if not address.endswith(","):
            srcset = srcset.partition(",")[2]
        yield address.rstrip(",")


def _joined(base: str, address: str) -> str:
    """The absolute address without its fragment; empty for what is no file of a web server, and for a mere fragment."""
    if address.startswith("#"):
        return ""
    try:
        whole = urljoin(base, address).partition("#")[0]
    except ValueError:
        return ""
    return whole if whole.startswith(("http://", "https://")) else ""


def _each_once(addresses: "Iterator[str] | list[str]") -> tuple[str, ...]:
    return tuple(dict.fromkeys(address for address in addresses if address))
