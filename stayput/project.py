"""stayput.toml as a frozen Project."""

import difflib
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import msgspec

from stayput.errors import WrongUse


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of stayput.toml: an unknown key is an error, never ignored."""


class Site(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is deployed: files, their requirements, and the command that serves them on $PORT."""

    sources: tuple[str, ...]  # files and folders, relative to the checkout
    requirements: str
    start: str
    manage: str = "manage.py"  # empty: not Django


class ImageInputs(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an image is made of besides the site: the base, and system libraries as the base's package names."""

    base: str = "python:3.13-slim-trixie"
    system: tuple[str, ...] = ()
    platform: str = "linux/amd64"


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


class Railway(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    project: str
    environment: str
    service: str


class Render(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    service: str


class Koyeb(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    app: str
    service: str


class Targets(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    process: Process = Process()
    docker: Docker = Docker()
    railway: Railway | None = None
    render: Render | None = None
    koyeb: Koyeb | None = None


class Project(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    site: Site
    storage: Literal["s3", "local"] = "s3"
    image: ImageInputs = ImageInputs()
    registry: Registry = Registry()
    targets: Targets = Targets()
    variables: dict[str, str] = {}  # plain ones for the site, beside those that Stayput injects


def load(root: Path, overrides: Sequence[str] = ()) -> Project:
    """Read ROOT/stayput.toml; overrides are "dotted.key=value" for this run. Raises WrongUse, naming the key."""
    path = root / "stayput.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WrongUse(
            str(path), "is not there", "run this in the checkout, or write one: docs/stayput.toml.md"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise WrongUse(str(path), f"is not TOML: {problem}", "mend that line") from None
    for override in overrides:
        _override(document, override)
    try:
        return msgspec.convert(document, Project)
    except msgspec.ValidationError as problem:
        raise WrongUse(*_explain(str(problem))) from None


def _override(document: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key.strip():
        raise WrongUse(f"--set {override}", "is not KEY=VALUE", "write it like --set targets.process.port=8001")
    *tables, name = key.strip().split(".")
    for table in tables:
        inner: object = document.setdefault(table, {})
        if not isinstance(inner, dict):
            raise WrongUse(f"--set {override}", f"{table} is a value, not a table", "name a key of stayput.toml")
        document = cast("dict[str, Any]", inner)
    if tables == ["variables"]:  # texts, whatever they look like
        document[name] = text
        return
    try:
        document[name] = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        document[name] = text  # a bare word is a text


def _explain(problem: str) -> tuple[str, str, str]:
    """msgspec's message as where, what and next step, with the likely key for a mistyped one."""
    what, _, place = problem.partition(" - at `$")
    table = place.rstrip("`").lstrip(".")
    where = f"stayput.toml, {table}" if table else "stayput.toml"
    if unknown := re.search(r"unknown field `(.+)`", what):
        known = [field.name for field in msgspec.structs.fields(_section(table))]
        near = difflib.get_close_matches(unknown[1], known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "known here: " + ", ".join(known)
        return where, f"unknown key `{unknown[1]}`", hint
    if missing := re.search(r"missing required field `(.+)`", what):
        return where, f"`{missing[1]}` is missing", "add it; docs/stayput.toml.md says what it is"
    return where, what.lower(), "mend that value"


def _section(table: str) -> type[Section]:
    sections: dict[str, type[Section]] = {
        "site": Site,
        "image": ImageInputs,
        "registry": Registry,
        "targets": Targets,
        "targets.process": Process,
        "targets.docker": Docker,
        "targets.railway": Railway,
        "targets.render": Render,
        "targets.koyeb": Koyeb,
    }
    return sections.get(table, Project)
