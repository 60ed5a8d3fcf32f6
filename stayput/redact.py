"""The redactor: every text that others wrote passes it once, before it is shown, recorded or returned.

It knows each secret of this process, since every Secret is learned where it is made, and hides it in the forms that
logs and errors have it in. What it does not know it hides by its looks: passwords in addresses, tokens, private keys.
"""

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any, cast
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlsplit

HIDDEN = "****"
SHORTEST = 6  # characters: a shorter value would blot out ordinary words
# Names of variables that hold a secret, and of query parameters, keys and options that do.
SECRET_NAME = re.compile(
    r"(?i)secret|passw|pwd|token|credential|private|api_?key|_key$|^key$|dsn|salt|auth(?!or)|^pass$|_pass$"
)
# Fields of the JSON documents that hold names of Stayput's own; a variable of that value must not change them.
OWN_FIELDS = frozenset({"target", "release", "build", "image", "digest", "engine", "name", "outcome", "platform"})

ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC, DCS and the like, to their end
    r"|\x1b[ -/]*[0-~]?"
    r"|\r(?=\n)|[\x00-\x08\x0b-\x1f\x7f-\x9f]"  # all controls but tab and line end
    r"|[\u200e\u200f\u202a-\u202e\u2066-\u2069]",  # what turns the direction of a line
    re.DOTALL,
)
PATTERNS = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
    re.compile(r"(?<=://)(?![^/\s:@]+:\d{1,5}/)[^/\s:@]*:[^\s\"'<>]+(?=@)"),  # user and password in an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=:-]+"),
    re.compile(r"(?i)(?<=authorization: basic )\S+"),
    re.compile(r"(?<=X-Amz-Signature=)[0-9a-f]+"),
    re.compile(r"(?<=X-Amz-Credential=)[^&\s\"]+"),
    re.compile(r"(?<=X-Amz-Security-Token=)[^&\s\"]+"),
    re.compile(r"(?i)(?<=password=)(?!\*)(?:'[^']*'|\"[^\"]*\"|[^\s&;,'\")]+)"),  # as database drivers write it
)
HEX = re.compile(r"%(?:25)*[0-9A-F]{2}")

_lock = Lock()  # threads learn while others redact
_forms: dict[str, re.Pattern[str]] = {}  # a form of a known secret → what is replaced
_longest_first: tuple[tuple[str, re.Pattern[str]], ...] = ()  # the same; replaced as a whole, never changed


def learn(value: str) -> None:
    """Hide this value from now on, and the passwords of the addresses that it holds."""
    global _longest_first
    with _lock:
        for secret in {value, value.strip(), *_passwords(value)}:
            if len(secret) >= SHORTEST:
                _learn(secret)
        _longest_first = tuple(sorted(_forms.items(), key=lambda item: -len(item[0])))  # one may hold another


def learn_named(name: str, value: str) -> None:
    """The same for a plain variable: its value where its name is one of a secret, and passwords of addresses."""
    if SECRET_NAME.search(name):
        learn(value)
    for secret in _passwords(value):
        learn(secret)


def forget_all() -> None:
    """For tests: what one made must not hide words of the next."""
    global _longest_first
    with _lock:
        _forms.clear()
        _longest_first = ()


def redact(text: str) -> str:
    """The text without secrets, and without what would steer a terminal."""
    text = ESCAPES.sub("", text)
    for form, pattern in _longest_first:
        if form in text:
            text = pattern.sub(HIDDEN, text)
    for pattern in PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


def redact_lines(lines: Iterable[str]) -> Iterator[str]:
    """Each line without secrets, also inside of a private key that goes over several of them."""
    inside = False
    for line in lines:
        begins, ends = "PRIVATE KEY-----" in line and "BEGIN" in line, "-----END " in line
        yield HIDDEN if inside and not begins else redact(line)
        inside = (inside or begins) and not ends


def redact_document(value: Any) -> Any:
    """A JSON document with each of its texts redacted."""
    match value:
        case str():
            return redact(value)
        case dict():
            document = cast("dict[str, Any]", value)
            return {
                key: inner if key in OWN_FIELDS and isinstance(inner, str) else redact_document(inner)
                for key, inner in document.items()
            }
        case list() | tuple():
            return [redact_document(one) for one in cast("list[Any]", value)]
        case _:
            return value


def _learn(secret: str) -> None:
    if secret in _forms or secret.lower() in ("false", "true"):
        return
    for form in _written(secret):
        _forms.setdefault(form, re.compile(_bounded(form)))
    for form in _encoded(secret):
        _forms.setdefault(form, re.compile(f"[A-Za-z0-9+/_-]{{0,2}}{re.escape(form)}[A-Za-z0-9+/_-]{{0,2}}=*"))


def _written(secret: str) -> Iterator[str]:
    """The secret as it is, and as addresses, JSON, Python and HTML write it; of one over several lines each line."""
    yield secret
    for line in secret.splitlines() if "\n" in secret else ():
        if len(line.strip()) >= SHORTEST and not line.startswith("-----"):
            yield line.strip()
    for quoted in (quote(secret, safe=""), quote(secret), quote_plus(secret), quote(quote(secret, safe=""), safe="")):
        yield from (quoted, HEX.sub(lambda found: found[0].lower(), quoted))
    yield from (html.escape(secret), html.escape(secret, quote=False))
    yield from (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])
    yield from (repr(secret)[1:-1], ascii(secret)[1:-1], repr(secret.encode("utf-8", "surrogateescape"))[2:-1])
    yield json.dumps(json.dumps(secret)[1:-1])[1:-1]  # JSON inside of JSON


def _encoded(secret: str) -> Iterator[str]:
    """What is sure to be in base64 of any text that holds the secret, wherever it begins there."""
    content = secret.encode("utf-8", "surrogateescape")
    for offset in range(3):
        first, last = -(-offset * 8 // 6), (offset + len(content)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            form = encode(bytes(offset) + content).decode()[first:last]
            if len(form) >= SHORTEST + 2:
                yield form


def _bounded(form: str) -> str:
    """A word is hidden as a word: the password "postgres" leaves "postgresql" readable."""
    return rf"(?<![^\W_]){re.escape(form)}(?![^\W_])" if form.isalpha() else re.escape(form)


def _passwords(value: str) -> Iterator[str]:
    """Passwords inside of addresses: before the @, and in the query; as written and decoded."""
    for found in re.finditer(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", value):
        address = found[0]
        before, at, _ = address.partition("://")[2].rpartition("@")
        if at and ":" in before:
            password = before.partition(":")[2]
            yield from (password, unquote(password), unquote_plus(password))
        try:
            query = urlsplit(address).query
        except ValueError:
            continue
        for name, one in parse_qsl(query):
            if SECRET_NAME.search(name):
                yield from (one, quote(one, safe=""))
