# Stayput's diagnosis, made by: python manage.py diagnose --script > docs/diagnose.py
# Pipe it in: python manage.py shell < diagnose.py
#   Windows: Get-Content diagnose.py | python manage.py shell -i python
# It shows what works and what does not, and takes away whatever it writes.
import sys, types
sys.ps1 = sys.ps2 = ""
stayput_piped = sys.modules["stayput_piped"] = types.ModuleType("stayput_piped")
modules = stayput_piped.modules = sys.modules["stayput_piped.modules"] = types.ModuleType("stayput_piped.modules")
exec(compile(r'''"""Which modules the project's own code imports, and which of them are not there. Reads sources, imports none."""

import ast
import importlib.util
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from django.apps import AppConfig, apps

# What brings a module whose package has another name.
PACKAGES = {
    "magic": "python-magic, and the system library libmagic1",
    "PIL": "Pillow",
    "storages": "django-storages[s3]",
    "imagekitio": "imagekitio>=5,<6",
}


@dataclass(frozen=True)
class Import:
    """One import of the project's own code: the top-level module it needs, and where it stands."""

    module: str
    file: Path
    line: int


def needed_by(source: str) -> Iterator[tuple[str, int]]:
    """(top-level module, line) of every import that has to succeed: what a `try` or TYPE_CHECKING guards does not."""
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from ((name.name.partition(".")[0], node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module.partition(".")[0], node.lineno
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            waiting += node.orelse
        elif not isinstance(node, ast.Try):
            waiting += ast.iter_child_nodes(node)


def imports(setting: Any) -> Iterator[Import]:
    """The imports of the project's own apps, settings and addresses; tests and migrations left out."""
    for folder in sorted(own_folders(setting)):
        for file in sorted(folder.rglob("*.py")):
            if not {"tests", "migrations", "node_modules"} & set(file.relative_to(folder).parts):
                try:
                    yield from (Import(module, file, line) for module, line in needed_by(file.read_text("utf-8")))
                except (SyntaxError, ValueError, OSError):
                    continue  # Python will say so better when it gets there


def own_folders(setting: Any) -> set[Path]:
    configs = cast("Iterable[AppConfig]", apps.get_app_configs())
    folders = {Path(app.path) for app in configs if app.label != "stayput"}
    for name in (getattr(setting, "SETTINGS_MODULE", ""), getattr(setting, "ROOT_URLCONF", "")):
        if name and "." in name and (file := import_module(name.rpartition(".")[0]).__file__):
            folders.add(Path(file).parent)
    return {folder for folder in folders if is_own(folder)}


def is_own(path: Path) -> bool:
    return not {"site-packages", "dist-packages"} & set(path.parts)


def is_there(module: str) -> bool:
    """Whether a top-level module can be found; it is not imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is running, as __main__
        return True


def missing(imports: Iterable[Import]) -> list[Import]:
    """The first import of each module that is not there."""
    found: dict[str, Import] = {}
    for one in imports:
        if one.module not in found and not is_there(one.module):
            found[one.module] = one
    return list(found.values())


def said(one: Import) -> str:
    return f"{shown(one.file)}, line {one.line}, imports {one.module}, which is not installed"


def remedy(module: str) -> str:
    return f"add {PACKAGES.get(module, module)} to what the site is built from"


def explained(problem: ImportError) -> str:
    """An import that failed at the start, in one line that names the project's own file."""
    module = (problem.name or "").partition(".")[0]
    own = [frame for frame in traceback.extract_tb(problem.__traceback__) if is_own(Path(frame.filename))]
    own = [frame for frame in own if not frame.filename.startswith("<")]
    if not isinstance(problem, ModuleNotFoundError) or not own or is_there(module):
        return f"{type(problem).__name__}: {problem}"
    one = Import(module, Path(own[-1].filename), own[-1].lineno or 0)
    return f"{said(one)}. Next: {remedy(module)}"


def shown(file: Path) -> str:
    try:
        return str(file.relative_to(Path.cwd()))
    except ValueError:
        return str(file)
''', "modules", "exec"), modules.__dict__)
addresses = stayput_piped.addresses = sys.modules["stayput_piped.addresses"] = types.ModuleType("stayput_piped.addresses")
exec(compile(r'''"""Addresses as people write them: what is wrong with one, and which of them lead to a bucket."""

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

WITHOUT_COLON = re.compile(r"(https?)(//|;/|:/?(?!/)|:///|\.//)", re.IGNORECASE | re.ASCII)
LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE | re.ASCII)
HOST_LIKE = re.compile(r"([a-z0-9-]+\.)+([a-z]{2,})(:\d+)?", re.IGNORECASE | re.ASCII)
FILE_LIKE = re.compile(r".*\.(html?|php|aspx?|json|xml)", re.IGNORECASE | re.ASCII)


def split(text: str) -> SplitResult | None:
    """The parts of an address with a port that may be; None where it cannot be read."""
    try:
        parts = urlsplit(text)
        return None if parts.port == 0 else parts
    except ValueError:
        return None


def is_host(name: str) -> bool:
    """Whether it is a name that a certificate, a header and boto3 take: labels of letters, digits and hyphens."""
    return len(name) < 254 and all(LABEL.fullmatch(label) for label in name.removesuffix(".").split("."))


def fault(text: str) -> str:
    """What is wrong with an http address, as the end of a sentence; empty where nothing is."""
    if WITHOUT_COLON.match(text):
        return "is not an address: what follows http or https is ://"
    parts = split(text)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "is not an address that begins with http:// or https://"
    if not (is_host(parts.hostname) or ":" in parts.hostname):
        return "is not an address: its host has a character that no host may have"
    return ""


def path_fault(text: str) -> str:
    """The same of a setting that may also be a path of this site, such as MEDIA_URL."""
    bare = text.lstrip("/")  # Django puts a slash before what it takes for a path
    if WITHOUT_COLON.match(bare):
        return "is not an address: what follows http or https is ://"
    if text.startswith(("http://", "https://")):
        return fault(text)
    first = bare.partition("/")[0]
    if not text.startswith("//") and HOST_LIKE.fullmatch(first) and not FILE_LIKE.fullmatch(first):
        return f"is a path of this site: before {first} there is no https://"
    return ""


def names_bucket(endpoint: str, bucket: str) -> bool:
    """Whether an S3 endpoint holds the name of the bucket, which boto3 adds by itself.

    A bucket of a plain name may have a namesake: media, on a server called media.example.com.
    """
    parts = split(endpoint)
    if parts is None or not bucket:
        return False
    if bucket in parts.path.split("/"):
        return True
    first, _, rest = (parts.hostname or "").partition(f"{bucket.lower()}.")
    return not first and "." in rest and (not bucket.isalpha() or rest.count(".") > 1)


def needs_other_certificate(host: str, bucket: str) -> bool:
    """Whether a host of Amazon's begins with a bucket whose name has a dot: their certificate covers one label."""
    return "." in bucket and host.startswith(f"{bucket}.") and host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


def of_bucket(storage: Any) -> Sequence[str]:
    """Hosts, with a path where need be, under which the bucket's objects are read; the most likely first."""
    bucket, region = storage.bucket_name, getattr(storage, "region_name", "") or "us-east-1"
    endpoint = split(str(getattr(storage, "endpoint_url", "") or ""))
    host = endpoint.netloc if endpoint else ""
    custom = getattr(storage, "custom_domain", "") or ""
    own = [host] if host else [f"s3.{region}.amazonaws.com", f"s3.dualstack.{region}.amazonaws.com"]
    if region == "us-east-1" and not host:
        own.append("s3.amazonaws.com")
    if region.startswith("cn-"):
        own = [f"{one}.cn" for one in own]
    return [*([custom] if custom else []), *(f"{bucket}.{one}" for one in own), *(f"{one}/{bucket}" for one in own)]


def leads_to(address: str, storage: Any) -> bool:
    return any(f"{address}/".startswith(f"{one.rstrip('/')}/") for one in of_bucket(storage))
''', "addresses", "exec"), addresses.__dict__)
parsers = stayput_piped.parsers = sys.modules["stayput_piped.parsers"] = types.ModuleType("stayput_piped.parsers")
exec(compile(r'''"""From the text of a variable to its value. What can mean one thing only is put right; all else is refused.

A parser raises Unusable, whose text ends a sentence that begins with the variable's name, and never holds the value.
"""

import re
import unicodedata
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

from django.utils import encoding

from stayput_piped import addresses

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
''', "parsers", "exec"), parsers.__dict__)
s3_values = stayput_piped.s3_values = sys.modules["stayput_piped.s3_values"] = types.ModuleType("stayput_piped.s3_values")
exec(compile(r'''"""The variables of S3: the name of a bucket, a region, a key, each by itself and then all of them together."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from stayput_piped import addresses, parsers
from stayput_piped.parsers import Unusable

AWS_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+){1,2}-[0-9]{1,2}")
ANY_REGION = re.compile(r"(?![0-9]+$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)")  # all that boto3 takes
AWS_BUCKET = re.compile(r"(?!.*(\.\.|\.-|-\.))[a-z0-9.-]+")
ANY_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
FOUR_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+){3}")
AWS_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{12,}")
ENDPOINT_OF_AWS = re.compile(r"https?://s3[.-](dualstack\.)?([a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def bucket(text: str) -> str:
    """The name of a bucket; also as console and command line write it: s3://name, arn:aws:s3:::name."""
    text = re.sub(r"^(s3://|arn:aws[a-z-]*:s3:::)([^/:]+)/?$", r"\2", text)
    if "/" in text or ":" in text:
        raise Unusable("is not the name of a bucket alone: leave out address and path")
    if text and (not ANY_BUCKET.fullmatch(parsers.word(text)) or FOUR_NUMBERS.fullmatch(text)):
        raise Unusable("is not the name of a bucket: 3 to 63 lower-case letters, digits and hyphens")
    return text


def region(text: str) -> str:
    """A region; out of what Amazon's console writes, such as Europe (Frankfurt) eu-central-1, the region alone."""
    found = {part for part in re.split(r"[\s(),]+", text) if AWS_REGION.fullmatch(part)}
    if len(found) == 1 and "/" not in text and ":" not in text:
        return found.pop()
    parsers.placeholder(text)
    return text


def region_of_aws(text: str) -> str:
    """A region of AWS, which a zone's letter, upper case and underscores leave no doubt about."""
    plain = re.sub(r"(?<=-[0-9])[a-z]$", "", text.lower().replace("_", "-"))
    if not AWS_REGION.fullmatch(plain):
        raise Unusable("is not a region of AWS such as eu-central-1; with another S3, set AWS_S3_ENDPOINT_URL too")
    return plain


def region_elsewhere(text: str) -> str:
    if not ANY_REGION.fullmatch(text):
        raise Unusable("is not a region: letters, digits and hyphens")
    return text


def settled_region(values: Mapping[str, Any]) -> str:
    settle = region_elsewhere if values.get("AWS_S3_ENDPOINT_URL") else region_of_aws
    return settle(values["AWS_S3_REGION_NAME"])


def settled_bucket(values: Mapping[str, Any]) -> str:
    name = values["AWS_STORAGE_BUCKET_NAME"]
    if values.get("AWS_S3_ENDPOINT_URL"):
        return name
    if not AWS_BUCKET.fullmatch(name):
        raise Unusable("is not the name of a bucket of AWS: lower-case letters, digits and hyphens")
    if "." in name and not values.get("AWS_S3_CUSTOM_DOMAIN") and not values.get("AWS_QUERYSTRING_AUTH"):
        raise Unusable("has a dot, and no certificate covers its https address: set AWS_S3_CUSTOM_DOMAIN, or rename it")
    return name


def settled_endpoint(values: Mapping[str, Any]) -> str:
    endpoint = values["AWS_S3_ENDPOINT_URL"]
    if addresses.names_bucket(endpoint, values.get("AWS_STORAGE_BUCKET_NAME", "")):
        raise Unusable("holds the name of the bucket, which is added at every request: leave it out")
    of_aws = ENDPOINT_OF_AWS.fullmatch(endpoint)
    if of_aws and values.get("AWS_S3_REGION_NAME", of_aws[2]) != of_aws[2]:
        raise Unusable("is of another region than AWS_S3_REGION_NAME: unset it, or make them agree")
    return endpoint


def settled_key_id(values: Mapping[str, Any]) -> str:
    name, secret = values["AWS_ACCESS_KEY_ID"], values.get("AWS_SECRET_ACCESS_KEY", "")
    if AWS_KEY_ID.fullmatch(secret) and not AWS_KEY_ID.fullmatch(name):
        raise Unusable("and AWS_SECRET_ACCESS_KEY are swapped: the id is the one that begins with AKIA")
    return name


def settled_secret(values: Mapping[str, Any]) -> str:
    secret = values["AWS_SECRET_ACCESS_KEY"]
    if AWS_KEY_ID.fullmatch(secret):
        raise Unusable("is the id of a key: set the secret that AWS showed with it")
    return secret


# In this order: each sees what those before it have put right.
SETTLED: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "AWS_S3_REGION_NAME": settled_region,
    "AWS_STORAGE_BUCKET_NAME": settled_bucket,
    "AWS_S3_ENDPOINT_URL": settled_endpoint,
    "AWS_ACCESS_KEY_ID": settled_key_id,
    "AWS_SECRET_ACCESS_KEY": settled_secret,
}
''', "s3_values", "exec"), s3_values.__dict__)
bucket = stayput_piped.bucket = sys.modules["stayput_piped.bucket"] = types.ModuleType("stayput_piped.bucket")
exec(compile(r'''"""What the checks say of a bucket's settings and of addresses, in whatever way a project writes them down."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning

from stayput_piped import addresses, parsers, s3_values

# What django-storages reads as settings, as attributes of its storage.
OF_S3 = {
    "AWS_STORAGE_BUCKET_NAME": "bucket_name",
    "AWS_S3_REGION_NAME": "region_name",
    "AWS_S3_ENDPOINT_URL": "endpoint_url",
    "AWS_S3_CUSTOM_DOMAIN": "custom_domain",
    "AWS_LOCATION": "location",
    "AWS_DEFAULT_ACL": "default_acl",
    "AWS_QUERYSTRING_AUTH": "querystring_auth",
    "AWS_S3_FILE_OVERWRITE": "file_overwrite",
}
# Names that people give to them, and that nothing reads.
MEANT = {
    "AWS_BUCKET_NAME": "AWS_STORAGE_BUCKET_NAME",
    "AWS_S3_BUCKET_NAME": "AWS_STORAGE_BUCKET_NAME",
    "AWS_STORAGE_BUCKET": "AWS_STORAGE_BUCKET_NAME",
    "AWS_REGION_NAME": "AWS_S3_REGION_NAME",
    "AWS_S3_REGION": "AWS_S3_REGION_NAME",
    "AWS_STORAGE_REGION": "AWS_S3_REGION_NAME",
    "AWS_S3_ENDPOINT": "AWS_S3_ENDPOINT_URL",
    "AWS_CUSTOM_DOMAIN": "AWS_S3_CUSTOM_DOMAIN",
    "AWS_HEADERS": "AWS_S3_OBJECT_PARAMETERS",
    "AWS_ACL": "AWS_DEFAULT_ACL",
    "AWS_FILE_OVERWRITE": "AWS_S3_FILE_OVERWRITE",
}


def faults(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """storage: the default one, or None where it cannot be made."""
    yield from written_addresses(setting, storage)
    if hasattr(storage, "bucket_name"):
        yield from names(storage)
        if storage.bucket_name:
            yield from media_address(setting, storage)
        else:
            yield Error("S3 is in use, but no bucket is named", "set AWS_STORAGE_BUCKET_NAME", id="stayput.E008")
        yield from settings_of_s3(setting, storage)


def names(storage: Any) -> Iterator[CheckMessage]:
    """Bucket and region can be names of some S3's, as they are written."""
    elsewhere = bool(getattr(storage, "endpoint_url", ""))
    region = s3_values.region_elsewhere if elsewhere else s3_values.region_of_aws
    for option, setting, parse in (
        ("bucket_name", "AWS_STORAGE_BUCKET_NAME", s3_values.bucket),
        ("region_name", "AWS_S3_REGION_NAME", region),
    ):
        text = str(getattr(storage, option, "") or "")
        if not text or (text.startswith("arn:") and ":accesspoint" in text):
            continue
        try:
            right = parse(parsers.cleaned(text))
        except parsers.Unusable as wrong:
            yield Error(f"the storage's {option} {wrong}", f"correct {setting}", id="stayput.E019")
        else:
            if right != text:
                yield Error(f"the storage's {option} is written as nothing takes it", f"use {right}", id="stayput.E019")


def written_addresses(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """Addresses that no browser and no client can use as they are written."""
    domain, endpoint = (str(getattr(storage, name, "") or "") for name in ("custom_domain", "endpoint_url"))
    found = {name: addresses.path_fault(str(getattr(setting, name) or "")) for name in ("MEDIA_URL", "STATIC_URL")}
    if (base := str(getattr(storage, "base_url", "") or "")) != setting.MEDIA_URL:
        found["the storage's base_url"] = addresses.path_fault(base)
    found["the storage's endpoint_url"] = addresses.fault(endpoint) if endpoint else ""
    if "//" in domain or domain.lower().startswith(("http:", "https:")):
        found["the storage's custom_domain"] = "is a domain, and no address: leave out what stands before the host"
    for name, what in found.items():
        if what:
            yield Error(f"{name} {what}", "write it as https://host/path", id="stayput.E016")
    if addresses.names_bucket(endpoint, bucket := str(getattr(storage, "bucket_name", "") or "")):
        what = f"the storage's endpoint_url holds the bucket {bucket}, whose name is added to it at every request"
        yield Error(what, "write the endpoint without the bucket: https://host", id="stayput.E017")


def media_address(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """MEDIA_URL and the bucket agree."""
    bucket, region = storage.bucket_name, getattr(storage, "region_name", "") or ""
    url = addresses.split(str(setting.MEDIA_URL))
    if url is None:
        return  # of which written_addresses tells
    custom = str(getattr(storage, "custom_domain", "") or "").partition("/")[0]
    for name, host in (("MEDIA_URL", url.netloc), ("the storage's custom_domain", custom)):
        if host.endswith("s3.amazonaws.com") and region != "us-east-1":
            want = f"{bucket}.s3.{region or 'REGION'}.amazonaws.com"
            what = f"{name} has no region: {host} does not show pictures of a bucket in {region or 'its region'}"
            yield Error(what, f"use {want}", id="stayput.E009")
            return
        if addresses.needs_other_certificate(host, bucket) and getattr(storage, "url_protocol", "") != "http:":
            what = f"{name} is {host}, and no certificate of Amazon's covers a bucket whose name has a dot"
            hint = "use a bucket without dots, or a domain of your own before it, such as CloudFront's"
            yield Error(what, hint, id="stayput.E018")
            return
    if url.netloc and not addresses.leads_to(url.netloc + url.path, storage):
        what = f"MEDIA_URL leads to {url.netloc}{url.path}, not to the bucket {bucket}"
        yield Error(what, f"use the bucket's own address: {addresses.of_bucket(storage)[0]}", id="stayput.E010")


def settings_of_s3(setting: Any, storage: Any) -> Iterator[CheckMessage]:
    """Settings that the storage in use does not go by: OPTIONS says otherwise, or the name is no setting's."""
    options = setting.STORAGES["default"].get("OPTIONS", {})
    for name, option in OF_S3.items():
        if option in options and setting.is_overridden(name) and getattr(setting, name) != options[option]:
            what = f'{name} is ignored: OPTIONS of STORAGES["default"] has another {option}'
            yield Warning(what, f"remove {name}, or {option} from OPTIONS", id="stayput.W003")
    for name, meant in MEANT.items():
        if setting.is_overridden(name) and not setting.is_overridden(meant) and OF_S3.get(meant, "") not in options:
            yield Warning(f"{name} is read by nothing", f"call it {meant}", id="stayput.W004")
''', "bucket", "exec"), bucket.__dict__)
disks = stayput_piped.disks = sys.modules["stayput_piped.disks"] = types.ModuleType("stayput_piped.disks")
exec(compile(r'''"""What lies under a path: the disk of the root, a volume, or memory."""

from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
MEMORY = ("tmpfs", "ramfs", "devtmpfs")
THROWN_AWAY = (*MEMORY, "overlay", "aufs", "rootfs")  # kinds of file systems that end with the instance


def mount_of(path: Path, mounts: str) -> tuple[Path, str]:
    """Where the file system of a path is mounted, and its kind; the root of an unknown kind where no line says so.

    mounts: as the kernel writes them, `device where kind options`. The last line of a place counts: it covers others.
    """
    found = Path("/"), ""
    for line in mounts.splitlines():
        words = line.split(" ")
        if len(words) > 2:
            where = Path(words[1].encode("ascii", "backslashreplace").decode("unicode_escape"))
            if path.is_relative_to(where) and len(where.parts) >= len(found[0].parts):
                found = where, words[2]
    return found


def kind_of(path: Path) -> str:
    """The kind of the file system that a path lies on; empty where the system does not say."""
    try:
        return mount_of(path.resolve(), MOUNTS.read_text("utf-8", "replace"))[1]
    except OSError:
        return ""


def on_a_volume(path: Path) -> bool:
    """Whether a path lies below a mount of its own, as a volume does, that does not end with the instance."""
    mounted = any(part.is_mount() for part in (path, *path.parents) if part != Path(part.anchor))
    return mounted and kind_of(path) not in THROWN_AWAY


def in_memory(path: Path) -> bool:
    return kind_of(path) in MEMORY
''', "disks", "exec"), disks.__dict__)
checks = stayput_piped.checks = sys.modules["stayput_piped.checks"] = types.ModuleType("stayput_piped.checks")
exec(compile(r'''"""Django system checks that stop a release whose uploads would be lost or would break. Each fault is one line.

They read settings, the environment and installed packages, never the network; `manage.py migrate`, `check` and
stayput.django.start run them. Silence one as ever: SILENCED_SYSTEM_CHECKS = ["stayput.E006"].
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, cast

import django
from django.conf import settings
from django.core import checks as system
from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, default_storage

from stayput_piped import bucket, disks, modules

TAG = "stayput"
FILE_SYSTEM = "django.core.files.storage.FileSystemStorage"
# Variables that a platform sets whose disk is thrown away at every deploy.
PLATFORMS = {
    "RAILWAY_ENVIRONMENT": "Railway",
    "RAILWAY_ENVIRONMENT_NAME": "Railway",
    "RENDER": "Render",
    "KOYEB_APP_NAME": "Koyeb",
    "DYNO": "Heroku",
}
OF_MOUNTS = ("stayput.E006", "stayput.E007")  # found only where the volumes are mounted
# Settings that Django 5.1 no longer reads, and what they are called in STORAGES: key, ids of the error and the warning.
OLD_NAMES = {
    "DEFAULT_FILE_STORAGE": ("default", "stayput.E001", "stayput.W001"),
    "STATICFILES_STORAGE": ("staticfiles", "stayput.E014", "stayput.W002"),
}
MAJORS = {"imagekitio": 5, "python-magic": 0, "libmagic": 5}
KEEP = "keep pictures in S3 or ImageKit, or put a volume there"

Settings = Any
Environ = Mapping[str, str]


def storage_setting(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """Storages that are chosen by settings that are ignored, and STORAGES without what is used."""
    for name in OLD_NAMES:
        if setting.is_overridden(name):
            yield old_name(setting, name)
    if "default" not in setting.STORAGES:
        hint = f'add "default": {{"BACKEND": "{FILE_SYSTEM}"}}, or the storage that keeps your pictures'
        yield Error('STORAGES has no "default": nothing can be uploaded', hint, id="stayput.E002")
    if "staticfiles" not in setting.STORAGES and "django.contrib.staticfiles" in setting.INSTALLED_APPS:
        hint = 'add "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}'
        yield Error('STORAGES has no "staticfiles": no page can name a static file', hint, id="stayput.E015")


def old_name(setting: Settings, name: str) -> CheckMessage:
    key, error, warning = OLD_NAMES[name]
    chosen, used = getattr(setting, name), setting.STORAGES.get(key, {}).get("BACKEND", "nowhere")
    hint = f'write it as STORAGES["{key}"] = {{"BACKEND": "{chosen}"}}, beside the other entries of STORAGES'
    if cast("tuple[int, ...]", django.VERSION[:2]) < (5, 1):
        return Warning(f"{name} is deprecated in Django 4.2 and gone in 5.1", hint, id=warning)
    if chosen == used:
        return Warning(
            f"{name} was removed in Django 5.1 and is ignored", "remove it: STORAGES says the same", id=warning
        )
    files = "uploads" if key == "default" else "static files"
    what = f"{name} was removed in Django 5.1 and is ignored: {files} go to {used}, not to {chosen}"
    return Error(what, hint, id=error)


def storage_loads(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """The default storage can be made: with all its packages, and then by itself."""
    lacking = list(packages(setting, environ))
    yield from lacking
    if lacking or "default" not in setting.STORAGES:
        return
    try:
        default_storage.__class__  # noqa: B018  # makes it
    except (ImportError, ImproperlyConfigured, AttributeError) as problem:
        backend = setting.STORAGES["default"].get("BACKEND")
        module = str(getattr(problem, "name", None) or "").partition(".")[0]
        hint = "mend STORAGES" if not module or modules.is_there(module) else modules.remedy(module)
        yield Error(f"the storage {backend} cannot be loaded: {first_line(problem)}", hint, id="stayput.E003")


def storage_is_the_chosen_one(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """One home for pictures, and the storage in use is that one."""
    s3, imagekit = chooses_s3(setting, environ), chooses_imagekit(setting, environ)
    if s3 and imagekit:
        hint = "unset USE_S3 or IMAGEKIT_PRIVATE_KEY"
        yield Error("S3 and ImageKit are both chosen, and pictures have one home", hint, id="stayput.E005")
    elif (s3 or imagekit) and not setting.is_overridden("DEFAULT_FILE_STORAGE") and on_disk():
        chosen = "S3" if s3 else "ImageKit"
        what = f"{chosen} is chosen, but uploads go to the local disk: {used_storage()} is in use"
        yield Error(what, 'set STORAGES["default"] to the storage that is meant', id="stayput.E004")


def throw_away_disk(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """Nothing that must last lies on a disk that the next deploy throws away."""
    platform = next((name for variable, name in PLATFORMS.items() if environ.get(variable)), "")
    if setting.DEBUG or not platform:
        return
    if on_disk() and not disks.on_a_volume(Path(default_storage.path(""))):
        what = f"uploads go to {default_storage.path('')}, a disk that {platform} throws away at the next deploy"
        yield Error(what, f"{KEEP}: USE_S3=True", id="stayput.E006")
    for alias, database in setting.DATABASES.items():
        if database.get("ENGINE", "").endswith("sqlite3") and not disks.on_a_volume(Path(str(database["NAME"]))):
            what = f"the database {alias} is SQLite on a disk that {platform} throws away at the next deploy"
            yield Error(what, "set DATABASE_URL to the platform's PostgreSQL, or use a volume", id="stayput.E007")


def bucket_and_addresses(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """The addresses can be used as they are written, and lead to the bucket; no setting of it is ignored."""
    yield from bucket.faults(setting, loaded_storage())


def packages(setting: Settings, environ: Environ) -> Iterator[CheckMessage]:
    """What the project's code imports is installed, in the major version that it is written for."""
    imports = list(modules.imports(setting))
    for one in modules.missing(imports):
        yield Error(modules.said(one), modules.remedy(one.module), id="stayput.E011")
    backend = setting.STORAGES.get("default", {}).get("BACKEND", "")
    used = {one.module for one in imports}
    if backend.startswith("stayput.django.imagekit"):
        yield from major("imagekitio", "imagekitio>=5,<6")
    if "magic" in used and modules.is_there("magic"):
        yield from major("python-magic", "python-magic<1")
        yield from libmagic()


def major(package: str, requirement: str) -> Iterator[CheckMessage]:
    """The installed version against MAJORS; nothing to say of a package that another one stands in for."""
    hint = f"put {requirement} into what the site is built from, and build anew without the old layer"
    try:
        version = metadata.version(package)
    except metadata.PackageNotFoundError:
        if not modules.is_there(package):
            yield Error(f"{package} is used and not installed", hint, id="stayput.E011")
        return
    if int(version.partition(".")[0]) != MAJORS[package]:
        what = f"{package} {version} is installed, and version {MAJORS[package]} is needed"
        yield Error(what, hint, id="stayput.E012")


def libmagic() -> Iterator[CheckMessage]:
    """The system library under python-magic: 545 means 5.45."""
    try:
        import magic  # pyright: ignore[reportMissingImports]

        version = int(magic.version())  # pyright: ignore[reportUnknownArgumentType]
    except (ImportError, AttributeError, NotImplementedError) as problem:
        hint = "install the system library: apt-get install libmagic1"
        yield Error(f"python-magic finds no libmagic: {first_line(problem)}", hint, id="stayput.E013")
        return
    if version // 100 != MAJORS["libmagic"]:
        what = f"libmagic {version / 100:.2f} is installed, and version {MAJORS['libmagic']} is needed"
        yield Error(what, "install libmagic1 of a current system", id="stayput.E012")


CHECKS: tuple[Callable[[Settings, Environ], Iterator[CheckMessage]], ...] = (
    storage_setting,
    storage_loads,
    storage_is_the_chosen_one,
    throw_away_disk,
    bucket_and_addresses,
)


def run(app_configs: object = None, **_: object) -> list[CheckMessage]:
    """All of CHECKS, in their order: the first fault is the one that most likely causes the others."""
    return [message for check in CHECKS for message in check(settings, os.environ)]


def of_project(databases: Sequence[str] = ()) -> list[CheckMessage]:
    """What all checks of the project find, these among them; nothing that SILENCED_SYSTEM_CHECKS names."""
    found: dict[str, CheckMessage] = {}
    for message in [*cast("Any", system).run_checks(databases=databases), *run()]:
        if not message.is_silenced():
            found[str(message)] = message
    return list(found.values())


def faults() -> list[str]:
    """Every fault that stops a release, a line each; none that SILENCED_SYSTEM_CHECKS names."""
    return [in_a_line(message) for message in run() if message.is_serious() and not message.is_silenced()]


def in_a_line(message: CheckMessage) -> str:
    return f"({message.id}) {message.msg}. Next: {message.hint}"


def begin() -> None:
    cast("Any", system).register(run, TAG)


def chooses_s3(setting: Settings, environ: Environ) -> bool:
    wish = value_of("USE_S3", setting, environ)
    return (
        str(wish).lower() in ("true", "1", "yes", "on")
        if wish
        else bool(setting_of(setting, "AWS_STORAGE_BUCKET_NAME"))
    )


def chooses_imagekit(setting: Settings, environ: Environ) -> bool:
    return bool(value_of("IMAGEKIT_PRIVATE_KEY", setting, environ))


def value_of(name: str, setting: Settings, environ: Environ) -> object:
    return setting_of(setting, name) or environ.get(name, "")


def setting_of(setting: Settings, name: str) -> object:
    return getattr(setting, name, None)


def loaded_storage() -> Any:
    """The default storage itself; None where it cannot be made, of which storage_loads tells."""
    try:
        default_storage.__class__  # noqa: B018
    except Exception:  # a storage fails in a way of its own
        return None
    return default_storage


def on_disk() -> bool:
    return isinstance(loaded_storage(), FileSystemStorage)


def used_storage() -> str:
    kind = default_storage.__class__
    return f"{kind.__module__}.{kind.__qualname__}"


def first_line(problem: BaseException) -> str:
    """What a problem says, in a line: the second too where the first is only its heading."""
    lines = str(problem).strip().splitlines() or [type(problem).__name__]
    return without_password(" ".join(line.strip() for line in lines[: 2 if lines[0].endswith(":") else 1]))


def without_password(text: str) -> str:
    return re.sub(r"//[^/\s]*@", "//****@", text)
''', "checks", "exec"), checks.__dict__)
refusals = stayput_piped.refusals = sys.modules["stayput_piped.refusals"] = types.ModuleType("stayput_piped.refusals")
exec(compile(r'''"""What a failure of a storage says: refused for good, with what to do about it, or an outage that may pass.

Knows the errors of boto3 and of ImageKit by their names and what they carry: a project may have neither.
"""

import errno
import socket
import traceback
from collections.abc import Iterator
from typing import Any

ACL = (
    "remove default_acl (AWS_DEFAULT_ACL = None): the bucket's owner enforces ownership, and it takes no ACL; "
    "a bucket policy lets anyone read"
)
RIGHTS = "let the key's user put, get and delete objects in the bucket"
REGION = "set AWS_S3_REGION_NAME to the bucket's region"
KEY = "AWS_ACCESS_KEY_ID is of no key: make a new one and set it"
LASTING = "use the key of an IAM user, which does not expire, and unset AWS_SESSION_TOKEN"
CHECKSUM = (
    "this S3 does not take the checksums of boto3: set AWS_REQUEST_CHECKSUM_CALCULATION=when_required "
    "and AWS_RESPONSE_CHECKSUM_VALIDATION=when_required"
)
ENDPOINT = "correct AWS_S3_ENDPOINT_URL: the address of the service, without the bucket and without a page's path"
KMS = "let the key's user kms:GenerateDataKey and kms:Decrypt with the bucket's KMS key, which has to be enabled"
BUCKET = "create the bucket, or correct AWS_STORAGE_BUCKET_NAME"
NAME = "AWS_STORAGE_BUCKET_NAME is not the name of a bucket: write the name alone, in lower case"
CLOCK = "set the clock of this machine: S3 takes no request that is 15 minutes off"
# What S3 answers when the release itself is at fault, and what to do. A HEAD has no code but its status.
REMEDIES = {
    "NoSuchBucket": BUCKET,
    "404": BUCKET,
    "AccessDenied": RIGHTS,
    "AccountProblem": "look into the account's billing: it may use no storage",
    "403": RIGHTS,
    "InvalidAccessKeyId": KEY,
    "InvalidAccessKey": KEY,
    "SignatureDoesNotMatch": "AWS_SECRET_ACCESS_KEY does not belong to the key: set both anew",
    "InvalidClientTokenId": KEY,
    "UnrecognizedClientException": KEY,
    "AuthorizationHeaderMalformed": REGION,
    "PermanentRedirect": REGION,
    "IllegalLocationConstraintException": REGION,
    "IncorrectEndpoint": REGION,
    "301": REGION,
    "400": "correct AWS_S3_REGION_NAME, AWS_S3_ENDPOINT_URL or the key: S3 does not say which",
    "AccessControlListNotSupported": ACL,
    "InvalidBucketAclWithObjectOwnership": ACL,
    "RequestTimeTooSkewed": CLOCK,
    "RequestExpired": CLOCK,
    "ExpiredToken": LASTING,
    "InvalidToken": LASTING,
    "TokenRefreshRequired": LASTING,
    "InvalidBucketName": NAME,
    "EntityTooLarge": "send less at once, or raise the limit of the bucket's service",
    "EntityTooSmall": "send parts of 5 MB or more",
    "MethodNotAllowed": ENDPOINT,
    "405": ENDPOINT,
    "MissingContentLength": "send a file whose size is known, not a stream; a proxy may have taken its length away",
    "XAmzContentSHA256Mismatch": f"{CHECKSUM}; or a proxy changes what is sent",
    "BadDigest": f"{CHECKSUM}; or a proxy changes what is sent",
    "InvalidDigest": CHECKSUM,
    "NotImplemented": f"this S3 does not know a header that is sent: leave it out of OPTIONS; or {CHECKSUM}",
    "501": f"this S3 does not know a header that is sent: leave it out of OPTIONS; or {CHECKSUM}",
    "InvalidRequest": "correct what the line names; a bucket of AWS may insist on https and on Signature Version 4",
}
# boto3's own refusals, before anything is sent.
OWN_REMEDIES = {
    "NoCredentialsError": "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "PartialCredentialsError": "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "ParamValidationError": NAME,
    "InvalidRegionError": "AWS_S3_REGION_NAME is no region: write it as eu-central-1",
    "NoRegionError": "set AWS_S3_REGION_NAME",
    "SSLError": "use an address that the certificate covers; a bucket with dots in its name has none under https",
    "ProfileNotFound": "unset AWS_PROFILE, and set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "AuthenticationError": "IMAGEKIT_PRIVATE_KEY is of no account: set it anew",
    "PermissionDeniedError": "let the ImageKit key write files",
}
HEADER = "an access key has a line end or a character that no header takes: set it anew"
WRITABLE = "let the site's user write there"
READ_LINE = "correct the setting that the line names"
# Codes below 500 that may pass by themselves.
PASSING = (
    "SlowDown", "RequestTimeout", "Throttling", "ThrottlingException", "TooManyRequests", "TooManyRequestsException",
    "RequestLimitExceeded", "RequestThrottled", "BandwidthLimitExceeded", "OperationAborted", "PreconditionFailed",
    "ConditionalRequestConflict", "InternalError", "ServiceUnavailable", "Busy", "NoSuchKey", "TemporaryRedirect",
)  # fmt: skip
PASSING_STATUS = (307, 408, 409, 412, 423, 425, 429)
OUTAGES = ("HTTPClientError", "ConnectionError", "IncompleteReadError", "MetadataRetrievalError")  # of botocore
# Not EROFS: an attestation starts images on a read-only file system, where pictures have no place of their own.
UNWRITABLE = (errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR)


def remedy_of(problem: BaseException) -> str:
    """What to do about a failure that is the release's own fault; empty for one that may pass or is of another kind."""
    return next((said for one in chain(problem) if (said := verdict(one)) is not None), "")


def verdict(problem: BaseException) -> str | None:
    """The remedy of a refusal, an empty text for an outage; None for what is no failure of a storage."""
    kinds = [kind.__name__ for kind in type(problem).__mro__]
    own = next((OWN_REMEDIES[kind] for kind in kinds if kind in OWN_REMEDIES), "")
    if status := status_of(problem):
        refused = remedy_of_answer(code_of(problem), status, str(problem))
        return own if refused and own else refused
    if "BotoCoreError" in kinds:
        return remedy_of_client(problem, own) if set(OUTAGES) & set(kinds) else own or READ_LINE
    if isinstance(problem, RecursionError) and of_botocore(problem):
        return REGION  # it follows a redirect that names no region for ever
    if isinstance(problem, ValueError) and str(problem).startswith("Invalid endpoint"):
        return ENDPOINT
    if isinstance(problem, PermissionError) or (isinstance(problem, OSError) and problem.errno in UNWRITABLE):
        return WRITABLE
    return None


def remedy_of_answer(code: str, status: int, message: str) -> str:
    """Of what a storage answered. code: in its own words, which of a HEAD are its status."""
    said = message.lower()
    if code.startswith("KMS.") or (code in ("AccessDenied", "403") and "kms" in said):
        return KMS
    if code in ("InvalidArgument", "InvalidRequest", "NotImplemented") and "checksum" in said:
        return CHECKSUM
    if code in REMEDIES:
        return REMEDIES[code]
    return "" if code in PASSING or status in PASSING_STATUS or status >= 500 else READ_LINE


def remedy_of_client(problem: BaseException, own: str) -> str:
    """Of a client that got no answer: as a rule an outage."""
    said = str(problem)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return own
    if "Invalid header value" in said:
        return HEADER
    error: Any = getattr(problem, "kwargs", {}).get("error")
    nowhere = any(isinstance(one, socket.gaierror) and one.errno == socket.EAI_NONAME for one in chain(error))
    return REGION if nowhere and ".amazonaws.com" in said else ""


def of_botocore(problem: BaseException) -> bool:
    return any("botocore" in frame.f_code.co_filename for frame, _ in traceback.walk_tb(problem.__traceback__))


def chain(problem: BaseException | None) -> Iterator[BaseException]:
    """A problem and what it came from, the nearest first."""
    while problem is not None:
        yield problem
        problem = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)


def code_of(problem: BaseException) -> str:
    """What S3 calls a failure, or an empty text."""
    answer: Any = getattr(problem, "response", None)
    try:
        return str(answer["Error"]["Code"])
    except (KeyError, TypeError):
        return ""


def status_of(problem: BaseException) -> int:
    """The HTTP status that a failure came with, 400 where there is a code alone; 0 where there was no answer."""
    answer: Any = getattr(problem, "response", None)
    try:
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])
    except (KeyError, TypeError):
        code = code_of(problem)
        found: object = getattr(answer, "status_code", 0)
        return int(code) if code.isdecimal() else 400 if code else found if isinstance(found, int) else 0
''', "refusals", "exec"), refusals.__dict__)
diagnose = stayput_piped.diagnose = sys.modules["stayput_piped.diagnose"] = types.ModuleType("stayput_piped.diagnose")
exec(compile(r'''"""What works here and what does not, in five sections: a line each, and for each fault what to do about it.

`manage.py diagnose` shows it, stayput.django.start writes it to the log, docs/diagnose.py is the copy for a project
that has nothing of Stayput. Sections 3 and 5 use what two settings name: STAYPUT_PROCESS, the function from bytes to
`.main` and `.thumbnail`, and STAYPUT_REHEARSAL, a context manager that takes an uploaded file the project's own way,
gives what is answered, and takes it all away again.
"""

import functools
import io
import logging
import os
import re
import sys
import urllib.request
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import django
from django.apps import apps
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections
from django.db.models import FileField
from django.utils import module_loading

from stayput_piped import checks, disks, refusals

ROWS = 100  # the first of each kind, in its own order, whose files are looked for
ADDRESS_SECONDS = 5.0
PHOTO = 1200, 900  # pixels: each start of a release draws it
SHOWN = re.compile(r"^(AWS_|IMAGEKIT_|MEDIA_|USE_S3|STAYPUT_RELEASE|DATABASE_URL|DEFAULT_FILE_STORAGE)")
SECRET = re.compile(r"secret|private|token|password|credential|database_url|key$", re.IGNORECASE)
READ_LOG = "mend what the line names; the log has more"
SECTIONS = ("configuration", "storage", "image optimisation", "storage upload", "upload flow")


@dataclass(frozen=True)
class Line:
    """One finding. ok None: not tried. stops: a release with this fault must not get traffic."""

    name: str
    ok: bool | None
    detail: str
    remedy: str = ""
    stops: bool = False
    section: int = 0


def diagnose() -> Iterator[Line]:
    """All five sections in their order. Raises nothing; what is written is taken away again.

    The third asks no other service and takes the longest: it is worked on beside the others.
    """
    with ThreadPoolExecutor(1) as beside:
        pictures = beside.submit(_lines_of, 3, optimisation)
        for number, section in ((1, configuration), (2, storage)):
            yield from _unheard(number, section)
        stored = [*_unheard(4, upload), *_unheard(5, flow)]
        yield from pictures.result()
    yield from stored


def _unheard(number: int, section: Callable[[], Iterable[Line]]) -> list[Line]:
    logging.disable()  # a rehearsal is no event of the site
    try:
        return _lines_of(number, section)
    finally:
        logging.disable(logging.NOTSET)


def _lines_of(number: int, section: Callable[[], Iterable[Line]]) -> list[Line]:
    lines: list[Line] = []
    try:
        lines.extend(section())
    except Exception as problem:  # whatever breaks is what was looked for
        lines.append(failed(SECTIONS[number - 1], problem))
    return [replace(line, section=number) for line in lines]


def configuration() -> Iterator[Line]:
    yield Line("versions", True, f"Django {django.get_version()}, Python {sys.version.partition(' ')[0]}")
    for name in sorted({*os.environ, *(one for one in dir(settings) if settings.is_overridden(one))}):
        if SHOWN.match(name) and (value := getattr(settings, name, None) or os.environ.get(name)):
            yield Line(name, True, masked({name: value})[name])
    serious: list[Any] = [one for one in checks.of_project() if one.is_serious()]
    for message in serious:
        yield Line(str(message.id or "check"), False, str(message.msg), str(message.hint or READ_LOG), stops=True)
    if not serious:
        yield Line("checks", True, "no fault found")
    for database in cast("Any", connections).all():
        with database.cursor() as cursor:
            cursor.execute("SELECT 1")
        yield Line("database", True, f"{database.alias}: {database.vendor} answers")


def storage() -> Iterator[Line]:
    used = cast("Any", storages["default"])
    configured = settings.STORAGES["default"]
    yield Line("backend", True, f"{configured['BACKEND']}, in use: {checks.used_storage()}")
    options = {name: value for name, value in configured.get("OPTIONS", {}).items() if isinstance(value, str | bool)}
    for name, value in masked(options).items():
        yield Line(name, True, value)
    if checks.on_disk():
        folder = used.path("")
        writable = os.access(folder if os.path.isdir(folder) else os.path.dirname(folder) or ".", os.W_OK)  # noqa: PTH112, PTH120
        yield Line("folder", writable, folder, "let the site's user write there")
        if disks.in_memory(Path(folder)) and not settings.DEBUG:
            yield Line("disk", False, f"{folder} is memory, and empty after the next start", checks.KEEP)
    else:
        client = getattr(used, "client", None) or getattr(getattr(used, "bucket", None), "meta", None)
        yield Line("client", client is not None, type(client).__name__, "see the options above")
    for model, fields in with_files():
        yield rows_with_files(model, fields)


def optimisation() -> Iterator[Line]:
    data = photo()
    yield Line("photo", True, f"JPEG {PHOTO[0]} x {PHOTO[1]}, {len(data):,} bytes")
    name = getattr(settings, "STAYPUT_PROCESS", "")
    if not name:
        yield Line("process", None, "not tried: name the function in STAYPUT_PROCESS")
        return
    made = project_function(name)(data)
    for part in ("main", "thumbnail"):
        content = getattr(made, part)
        yield Line(part, 0 < len(content) < len(data), described(content), f"it is not smaller: look at {name}")


def upload() -> Iterator[Line]:
    content, mark = uuid.uuid4().bytes * 8, f"diagnose-{uuid.uuid4()}"
    name = default_storage.save(f"{mark}.txt", ContentFile(content))
    yield Line("write", True, f"{len(content)} bytes as {name}")
    same = False
    try:
        with default_storage.open(name) as file:
            same = file.read() == content
        detail = "the same bytes come back" if same else "other bytes come back"
        yield Line(
            "read", same, detail, "another program writes there, or the storage changes what it is given", not same
        )
        yield at_address(default_storage.url(name), content)
    finally:
        if ours := same or mark in name:  # or the storage answered with the name of another file
            default_storage.delete(name)
    if not ours:
        yield Line("clean-up", False, f"{name} is left alone: it is not what was written", READ_LOG)
        return
    yield Line("clean-up", not remains(name), f"{name} is taken away", "let the key's user delete objects")


def flow() -> Iterator[Line]:
    name = getattr(settings, "STAYPUT_REHEARSAL", "")
    if not name:
        yield Line("rehearsal", None, "not tried: name the context manager in STAYPUT_REHEARSAL")
        return
    sent = SimpleUploadedFile("diagnose.jpg", photo(), content_type="image/jpeg")
    with project_function(name)(sent) as answer:
        for field, value in cast("Mapping[str, object]", answer).items():
            yield Line(field, bool(value), str(value), "the upload was taken, but this is missing")
    yield Line("clean-up", True, "the picture and its row are taken away")


def at_address(url: str, content: bytes) -> Line:
    """What the public address of an object gives to anyone. A path is one of this site, which may not be up yet."""
    bare = url.partition("?")[0]
    if not url.startswith(("http://", "https://")):
        return Line("address", True, f"{bare}, shown by the site itself")
    try:
        with urllib.request.urlopen(url, timeout=ADDRESS_SECONDS) as answer:
            same = answer.read() == content
    except OSError as problem:
        remedy = "let anyone read the bucket's pictures, or correct the custom domain or the region"
        return Line("address", False, f"{bare} does not show it: {checks.first_line(problem)}", remedy)
    return Line("address", same, bare, "the address shows something else: correct the custom domain")


def with_files() -> Iterator[tuple[Any, list[str]]]:
    """Models that keep files, and the names of those fields."""
    for model in cast("Iterable[Any]", apps.get_models()):
        names = [
            str(field.name) for field in model._meta.concrete_fields if isinstance(cast("object", field), FileField)
        ]
        if names:
            yield model, names


def rows_with_files(model: Any, fields: Sequence[str]) -> Line:
    """How many of the first rows have lost a file."""
    rows = list(model._default_manager.all()[:ROWS])
    files = [(row.pk, getattr(row, field)) for row in rows for field in fields if getattr(row, field)]
    with ThreadPoolExecutor(8) as pool:
        lost = list(pool.map(is_gone, (file for _, file in files)))
    gone = {pk for (pk, _), is_lost in zip(files, lost, strict=True) if is_lost}
    label = model._meta.label
    detail = (
        f"{len(gone)} of {len(rows)} rows have lost their file" if gone else f"all files of {len(rows)} rows are there"
    )
    return Line(label, not gone, detail, "they were on a disk that is gone: upload them again, or remove the rows")


def is_gone(file: Any) -> bool:
    """Whether a stored file is not there. S3 answers 403 to a key that may not list the bucket."""
    try:
        return not file.storage.exists(file.name)
    except Exception as problem:  # each storage raises its own kind
        return refusals.code_of(problem) in ("403", "404", "AccessDenied", "NoSuchKey")


def remains(name: str) -> bool:
    try:
        with default_storage.open(name) as file:
            return bool(file.read())
    except Exception:  # gone, in each storage's own words
        return False


def project_function(name: str) -> Any:
    return cast("Any", module_loading).import_string(name)


@functools.cache
def photo() -> bytes:
    """A JPEG with enough in it to be work: bands of colour under noise."""
    from PIL import Image

    noise = Image.effect_noise(PHOTO, 24)
    bands = Image.linear_gradient("L").resize(PHOTO)
    out = io.BytesIO()
    Image.merge("RGB", (noise, bands, bands.rotate(180))).save(out, "JPEG", quality=90)
    return out.getvalue()


def described(content: bytes) -> str:
    from PIL import Image

    with Image.open(io.BytesIO(content)) as opened:
        return f"{opened.format} {opened.size[0]} x {opened.size[1]}, {len(content):,} bytes"


def failed(name: str, problem: Exception) -> Line:
    module = str(getattr(problem, "name", None) or "") if isinstance(problem, ImportError) else ""
    refused = refusals.remedy_of(problem)
    remedy = refused or (f"install {module}" if module else READ_LOG)
    return Line(name, False, f"{type(problem).__name__}: {checks.first_line(problem)}", remedy, bool(refused))


def masked(values: Mapping[str, object]) -> dict[str, str]:
    """Values as they may be shown: of a secret its length alone."""
    return {
        name: f"**** ({len(str(value))} characters)" if SECRET.search(name) else checks.without_password(str(value))
        for name, value in values.items()
    }


def shown(line: Line, encoding: str | None) -> str:
    """A line for people; in ASCII where the terminal cannot show a tick."""
    wide = {True: "\u2713", False: "\u2717", None: "\u00b7"}
    plain = {True: "ok  ", False: "FAIL", None: "-   "}
    try:
        "".join(wide.values()).encode(encoding or "ascii")
        mark = wide[line.ok]
    except (UnicodeEncodeError, LookupError):
        mark = plain[line.ok]
    remedy = f". Next: {line.remedy}" if line.ok is False else ""
    text = f"{mark} {line.name}: {line.detail}{remedy}"
    return text.encode(encoding or "ascii", "backslashreplace").decode(encoding or "ascii")


def tell(write: Any, encoding: str | None) -> bool:
    """Write the diagnosis with its headings; True when nothing failed."""
    well, section = True, 0
    for line in diagnose():
        if line.section != section:
            section = line.section
            write(f"{section} {SECTIONS[section - 1].capitalize()}\n")
        write(f"  {shown(line, encoding)}\n")
        well = well and line.ok is not False
    return well
''', "diagnose", "exec"), diagnose.__dict__)
sys.exit(0 if diagnose.tell(sys.stdout.write, sys.stdout.encoding) else 1)
