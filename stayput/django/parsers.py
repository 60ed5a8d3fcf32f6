"""From the text of a variable to its value. What can mean one thing only is put right; all else is refused.

A parser raises Unusable, whose text ends a sentence that begins with the variable's name, and never holds the value.
"""

import re
import unicodedata
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

from django.utils import encoding

from stayput.django import addresses

INVISIBLE = "\ufeff\u200b\u200c\u200d\u2060"
QUOTES = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\u201e": "\u201c"}
SEPARATORS = re.compile(r"[,;\s]+")
TEMPLATE = re.compile(r"<[A-Za-z][^<>]*>|\{\{.*?\}\}|\$\{[^}]*\}|^\$\w+(?=$|/)|^%\w+%")
PLACEHOLDER = re.compile(
    r"(your|my|the)?[-_. ]?(insert|replace|change|put|enter|add)[-_. ]?(me|it|this|here|(with|your)[-_. ].*)"
    r"|your[-_. ].*(name|id|key|bucket|region|secret|domain|host|endpoint|token|password|site|app|project|value).*"
    r"|(my|example|sample|some|the)[-_. ]?bucket[-_. ]?name"
    r"|(bucket|region|key|secret|access|endpoint|domain)[-_. ](name|id|key|url)"
    r"|x{3,}|\*+|\.{2,}|-+|todo|tbd|fixme|none|null|nil|undefined|placeholder|redacted",
    re.IGNORECASE | re.ASCII,
)
OTHER_ALPHABETS = "\u00df\u03c2"  # two names each, by the older rules and by the newer ones
# Of other clients, in addresses that were copied from their documentation; libpq refuses them.
FOREIGN_OPTIONS = {"schema", "pgbouncer", "connection_limit", "pool_timeout", "ssl", "sslaccept", "socket_timeout"}
DATABASES = ("postgres", "postgresql", "sqlite")
ENCODE = "percent-encode it: # is %23, / is %2F, ? is %3F, @ is %40, % is %25"
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


class Unusable(ValueError):
    """A value that cannot work. Its text may be shown."""


def cleaned(text: str) -> str:
    """Without blanks and invisible characters around it, and without a pair of quotes around all of it."""
    text = text.strip().strip(INVISIBLE).strip()
    while len(text) > 1 and QUOTES.get(text[0]) == text[-1] and text[0] not in text[1:-1]:
        text = text[1:-1].strip()
    return text


def characters(text: str, allowed: str = "") -> None:
    """Raises Unusable at a character that no value holds."""
    for one in text:
        if one in INVISIBLE or (unicodedata.category(one) in ("Cc", "Cs") and one not in allowed):
            raise Unusable(f"has a character that cannot be seen, U+{ord(one):04X}: type it anew")


def placeholder(text: str) -> None:
    """Raises Unusable at what an example or a template leaves to be filled in."""
    if TEMPLATE.search(text):
        raise Unusable("has a part that was never filled in: a reference or a placeholder")
    if PLACEHOLDER.fullmatch(text):
        raise Unusable("is a placeholder: set the real value")


def word(text: str) -> str:
    """A name or a key: printable ASCII without blanks and quotes."""
    placeholder(text)
    if not all("!" <= one <= "~" for one in text) or set(text) & set("\"'`"):
        raise Unusable("has a blank, a quote or a letter beyond ASCII in it")
    if re.match(r"(AWS|IMAGEKIT)_[A-Z0-9_]+=", text):
        raise Unusable("begins with the name of a variable: set what follows the =")
    return text


def boolean(text: str) -> bool:
    if text.lower() not in TRUE | FALSE:
        raise Unusable("is neither True nor False")
    return text.lower() in TRUE


def listed(text: str) -> list[str]:
    """The entries of a list with commas, semicolons, blanks or lines between; also as JSON or Python write one."""
    inner = text[1:-1]
    if text[:1] + text[-1:] in ("[]", "()") and ('"' in inner or "'" in inner or not set(inner) & set("[]:")):
        text = inner
    return [entry for part in SEPARATORS.split(text) if (entry := cleaned(part))]


def host(entry: str) -> str:
    """A host as a browser sends it: lower case, punycode, no dot at its end."""
    placeholder(entry)
    if entry.count(":") > 1 and "[" not in entry:
        entry = f"[{entry}]"
    if entry.startswith("["):
        if not re.fullmatch(r"\[[0-9A-Fa-f:.]+\]", entry):
            raise Unusable("has an IPv6 address that cannot be read")
        return entry.lower()
    try:
        if set(entry) & set(OTHER_ALPHABETS):
            raise UnicodeError
        name = str(cast("Any", encoding).punycode(entry.lower().rstrip(".")))
    except UnicodeError:
        raise Unusable(
            "has a name that is no host's: write it as the browser's address bar sends it (xn--...)"
        ) from None
    if not addresses.is_host(name):
        raise Unusable("has a name that is no host's: letters, digits, hyphens and dots")
    return name


def hosts(text: str) -> tuple[str, ...]:
    if "/" in text:
        raise Unusable("is a list of hosts, without https:// and without a path")
    found = [allowed_host(entry) for entry in listed(text)]
    if text and not found:
        raise Unusable("is a list without a host")
    return tuple(dict.fromkeys(found))


def allowed_host(entry: str) -> str:
    """One of ALLOWED_HOSTS. Django compares it with a host that has no port; a dot before it stands for subdomains."""
    entry = re.sub(r":\d+$", "", entry) if entry.count(":") == 1 or "]:" in entry else entry
    if entry == "*":
        return entry
    wild = re.match(r"\*?\.", entry)
    return f".{host(entry[wild.end() :])}" if wild else host(entry)


def origins(text: str) -> tuple[str, ...]:
    found = [origin(entry) for entry in listed(text)]
    if text and not found:
        raise Unusable("is a list without an address")
    return tuple(dict.fromkeys(found))


def origin(entry: str) -> str:
    """One of CSRF_TRUSTED_ORIGINS, as a browser writes it in its header Origin."""
    placeholder(entry)
    parts = addresses.split(entry)
    wrong = Unusable("is a list of addresses such as https://gallery.example.com")
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise wrong
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong
    wild = re.match(r"\*?\.", parts.hostname)
    name = f"*.{host(parts.hostname[wild.end() :])}" if wild else host(parts.hostname)
    usual = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{name}{f':{parts.port}' if parts.port and parts.port != usual else ''}"


def address(text: str) -> str:
    if not text:
        return text
    placeholder(text)
    if said := addresses.fault(text):
        raise Unusable(said)
    parts = urlsplit(text)
    if "@" in parts.netloc or parts.query or parts.fragment or re.search(r"\s", text):
        raise Unusable("is not a plain address: it has a user, a question mark, # or a blank in it")
    return text.rstrip("/")


def imagekit_address(text: str) -> str:
    text = address(text)
    if text and urlsplit(text).hostname == "ik.imagekit.io":
        own = urlsplit(text).path.strip("/")
        if not own or PLACEHOLDER.fullmatch(own):
            raise Unusable("is not complete: the id of your account follows https://ik.imagekit.io/")
    return text


def domain(text: str) -> str:
    if "/" in text:
        raise Unusable("is a domain, without https:// and without a path")
    if not text:
        return text
    name, colon, number = text.partition(":")
    name = host(name)
    if "." not in name and name != "localhost":
        raise Unusable("is not a domain: it has no dot")
    return f"{name}:{port(number)}" if colon else name


def path(text: str) -> str:
    placeholder(text)
    if "://" in text or text.startswith("~") or text == "/" or re.match(r"[A-Za-z]:\\", text):
        raise Unusable("is not a path of a folder on this machine, such as /data/media")
    return text


def port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 9 and 0 < int(text) < 65536):
        raise Unusable("is not a port between 1 and 65535")
    return int(text)


def imagekit_key(text: str, kind: str) -> str:
    other = {"private": "public_", "public": "private_"}[kind]
    if word(text).startswith(other):
        raise Unusable(f"is ImageKit's {other.rstrip('_')} key: set the {kind} one")
    return text


def database(text: str) -> str:
    """An address that dj_database_url reads as it is meant. Its password is percent-encoded where that is missing."""
    scheme, separator, rest = text.partition("://")
    if text and (scheme.lower() not in DATABASES or not separator):
        raise Unusable("must begin with postgresql:// or sqlite://")
    if scheme.lower() == "sqlite":
        return f"sqlite://{sqlite(rest)}"
    if re.search(r"\s", text):
        raise Unusable(f"has a blank in it: {ENCODE}")
    return f"{scheme.lower()}://{postgresql(rest)}" if text else text


def sqlite(rest: str) -> str:
    if "#" in rest:
        raise Unusable("has a # in its path: write %23")
    if rest != ":memory:" and (not re.match(r"/[^?#]", rest) or TEMPLATE.search(rest)):
        raise Unusable("names no file: three slashes before a path from here, four before a whole one")
    return rest


def postgresql(rest: str) -> str:
    placeholder(rest)
    try:
        parts = urlsplit(f"postgresql://{rest}")
    except ValueError:  # its text may hold the password
        raise Unusable(
            f"cannot be read, as with a character in the password that has to be encoded: {ENCODE}"
        ) from None
    query = parse_qs(parts.query)
    if "#" in rest or "@" in parts.path or ("@" in rest and "@" not in parts.netloc):
        raise Unusable(f"has a # / or ? in its password: {ENCODE}")
    _, _, server = parts.netloc.rpartition("@")
    if not (parts.hostname or "host" in query):
        raise Unusable(
            "names no host; the brackets of an IPv6 address belong to it" if ":" in server else "names no host"
        )
    try:
        number = parts.port
    except ValueError:
        number = 0
    if number == 0:
        raise Unusable("names a port that is not one between 1 and 65535; an IPv6 address stands in [brackets]")
    if re.fullmatch(r"/[^/]+", parts.path) is None and "dbname" not in query:
        raise Unusable("names no database, or more than one: it ends in /name")
    if foreign := FOREIGN_OPTIONS & set(query):
        raise Unusable(f"has an option that PostgreSQL's own client does not know: {min(foreign)}")
    if rest.startswith(("user:password@host", "USER:PASSWORD@HOST")):
        raise Unusable("is the example: set your own")
    return encoded(rest)


def encoded(rest: str) -> str:
    """With @ and % in user and password percent-encoded. Raises Unusable where some are and some are not."""
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    user, at, server = authority.rpartition("@")
    escapes, bare = re.findall(r"%[0-9A-Fa-f]{2}", user), re.findall(r"%(?![0-9A-Fa-f]{2})", user)
    if bare and escapes:
        raise Unusable(f"has a % in its password that may mean either: {ENCODE}")
    name, colon, password = user.partition(":")
    safe = "!$&'()*+,;=:-._~" if bare else "%!$&'()*+,;=:-._~"
    return f"{quote(name, safe)}{colon}{quote(password, safe)}{at}{server}{rest[len(authority) :]}"
