"""stayput.toml as a frozen Project."""

import difflib
import re
import shlex
import tomllib
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_type_hints

import msgspec
from msgspec.structs import replace

from stayput.errors import WrongUse
from stayput.text import decode, printable
from stayput.values import impossible

PROVIDERS = (  # a line each: a module of stayput/targets, which brings its own Table
    "koyeb",
    "railway",
    "render",
)


PAGES = 20
PAGE = re.compile(r"/(?!/)[^\s?#\\\x00-\x20\x7f]*")  # a path of this site, without a query


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of stayput.toml: an unknown key is an error, never ignored."""


S = TypeVar("S", bound=Section)


class Site(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is deployed: files, their requirements, and the command that serves them on $PORT."""

    sources: tuple[str, ...]  # files and folders, relative to the checkout
    requirements: str
    start: str
    manage: str = "manage.py"  # empty: not Django

    def __post_init__(self) -> None:
        for path in (*self.sources, self.requirements, self.manage):
            if Path(path).is_absolute() or ".." in Path(path).parts:
                raise ValueError(f"{path} is not in the checkout")
        try:
            shlex.split(self.start)
        except ValueError as problem:
            raise ValueError(f"the start command cannot be read: {problem}") from None


class ImageInputs(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an image is made of besides the site: the base, and system libraries as the base's package names."""

    base: str = "python:3.13-slim-trixie"
    system: tuple[str, ...] = ()
    platform: str = "linux/amd64"


class Proof(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a release is asked for besides a photo: the pages by which people use the site."""

    pages: tuple[str, ...] | None = None  # paths; None: "/", where there is one

    def __post_init__(self) -> None:
        if len(self.pages or ()) > PAGES:
            raise ValueError(f"more than {PAGES} pages: name those that people come in by")
        for page in self.pages or ():
            if not PAGE.fullmatch(page):
                raise ValueError(f"{page!r} is not the path of a page, like /login/")


class Registry(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    repository: str = ""


class Process(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Releases as processes of this machine, behind the front on 127.0.0.1:port."""

    port: int = 8000


class Docker(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Releases as containers of the Docker engine, behind the front on 127.0.0.1:port."""

    port: int = 8000
    instances: int = 1
    memory: str = "1g"  # of each instance
    pids: int = 256
    variables: str = ""  # a file of NAME=VALUE lines, not in git: what is theirs, such as DATABASE_URL
    registry: bool = False  # push to registry.repository, and run what the registry holds


class Building(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the table of a provider says that can build the repository itself."""

    source: Literal["image", "repository"] = "image"
    fresh: bool = False  # of the repository: without what the provider keeps from earlier builds


class Targets(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    process: Process = Process()
    docker: Docker = Docker()
    # Of each provider that is named there its own Table, by its name; `load` puts them here.
    providers: Mapping[str, Section] = msgspec.field(default_factory=dict[str, Section], name="*")


class Project(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    site: Site
    storage: Literal["s3", "local"] = "s3"
    keyring: bool = False  # a provider's token may lie in this machine's keyring
    database: Literal["theirs", "ours"] = (
        "theirs"  # who sets DATABASE_URL: the target, or a deploy, from its environment
    )
    image: ImageInputs = ImageInputs()
    proof: Proof = Proof()
    registry: Registry = Registry()
    targets: Targets = Targets()
    variables: dict[str, str] = {}  # plain ones for the site, beside those that Stayput injects


def load(root: Path, overrides: Sequence[str] = ()) -> Project:
    """Read ROOT/stayput.toml; overrides are "dotted.key=value" for this run. Raises WrongUse, naming the key."""
    document = _document(root / "stayput.toml")
    for override in overrides:
        _override(document, override)
    tables = _taken_out(document)
    project = _convert(document, Project)
    providers = {name: _convert(table, _table_of(name), f"targets.{name}") for name, table in tables.items()}
    project = replace(project, targets=replace(project.targets, providers=providers))
    for key, what, next_step in impossible(project):
        raise WrongUse(f"stayput.toml, {key}", what, next_step)
    return project


def _document(path: Path) -> dict[str, Any]:
    try:
        text = decode(path.read_bytes())
    except FileNotFoundError:
        next_step = "run this in the checkout, or write one: docs/stayput.toml.md"
        raise WrongUse(str(path), "is not there", next_step) from None
    except OSError as problem:
        raise WrongUse(
            str(path), f"cannot be read: {problem.strerror}", "have a file there that you may read"
        ) from None
    except ValueError as problem:
        raise WrongUse(str(path), str(problem), "save it as UTF-8") from None
    try:
        return tomllib.loads(text)
    except ValueError as problem:  # of TOML, or a number of more digits than Python reads
        raise WrongUse(str(path), f"is not TOML: {printable(str(problem))}", "mend that line") from None
    except RecursionError:
        raise WrongUse(str(path), "is nested too deeply", "write the tables of docs/stayput.toml.md") from None


def _taken_out(document: dict[str, Any]) -> dict[str, object]:
    """The providers' tables, which are not in the document any more."""
    given = document.get("targets")
    if not isinstance(given, dict):
        return {}
    tables = cast("dict[str, object]", given)
    if "*" in tables:  # how Targets calls the place for them
        raise WrongUse(
            "stayput.toml, targets", "unknown key `*`", "known here: process, docker, " + ", ".join(PROVIDERS)
        )
    return {name: tables.pop(name) for name in PROVIDERS if name in tables}


def _table_of(name: str) -> type[Section]:
    return import_module(f"stayput.targets.{name}").Table


def _convert(document: object, kind: type[S], inside: str = "") -> S:
    """inside: the table of stayput.toml that the document is; empty for the whole."""
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as problem:
        raise WrongUse(*_explain(str(problem), kind, inside)) from None


def _override(document: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    where = f"--set {printable(override)}"
    *tables, name = key.strip().split(".")
    if not equals or not all((*tables, name)):
        raise WrongUse(where, "is not KEY=VALUE", "write it like --set targets.process.port=8001")
    for table in tables:
        inner: object = document.setdefault(table, {})
        if not isinstance(inner, dict):
            raise WrongUse(where, f"{printable(table)} is a value, not a table", "name a key of stayput.toml")
        document = cast("dict[str, Any]", inner)
    if tables == ["variables"]:  # texts, whatever they look like
        document[name] = text
        return
    try:
        (document[name],) = tomllib.loads(f"v = {text}").values()
    except (ValueError, RecursionError):
        document[name] = text  # a bare word is a text


def _explain(problem: str, kind: type[Section], inside: str) -> tuple[str, str, str]:
    """msgspec's message as where, what and next step, with the likely key for a mistyped one."""
    what, _, place = printable(problem).partition(" - at `$")
    within = place.rstrip("`").lstrip(".")
    table = ".".join(part for part in (inside, within) if part)
    where = f"stayput.toml, {table}" if table else "stayput.toml"
    if unknown := re.search(r"unknown field `(.+)`", what):
        names = [field.encode_name for field in msgspec.structs.fields(_section(kind, within))]
        known = [name for each in names for name in (PROVIDERS if each == "*" else (each,))]
        near = difflib.get_close_matches(unknown[1], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "known here: " + ", ".join(known)
        return where, f"unknown key `{unknown[1]}`", hint
    if missing := re.search(r"missing required field `(.+)`", what):
        return where, f"`{missing[1]}` is missing", "add it; docs/stayput.toml.md says what it is"
    return where, what[:1].lower() + what[1:], "mend that value"


def _section(kind: type[Section], place: str) -> type[Section]:
    """The section at that dotted place inside of `kind`."""
    for name in place.split(".") if place else ():
        inner = get_type_hints(kind).get(name)
        if not (isinstance(inner, type) and issubclass(inner, Section)):
            break
        kind = inner
    return kind
