"""Values of stayput.toml that can never work, each with its key: known before anything is begun. Pure."""

import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, cast

import msgspec

from stayput.django.variables import VARIABLES
from stayput.text import printable

if TYPE_CHECKING:
    from stayput.project import Project

Wrong = tuple[str, str, str]  # dotted key, what, next step
KNOWN = {variable.name.lower(): variable.name for variable in VARIABLES}
# Source: github.com/distribution/reference, its grammar; the engine and every registry take exactly this.
PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]+)?"
REPOSITORY = re.compile(rf"(?:{HOST}/)?{PART}(?:/{PART})*")
REFERENCE = re.compile(
    rf"(?:{HOST}/)?{PART}(?:/{PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[0-9a-f]{{64}})?"
)
NAME = re.compile(PART)
PLATFORM = re.compile(r"linux/[a-z0-9_]+(/v[0-9]+)?")
PACKAGE = re.compile(
    r"[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?(=[A-Za-z0-9.+:~-]+)?"
)  # Debian Policy 5.6.1, as apt-get takes it
MEMORY = re.compile(r"([0-9]+(?:\.[0-9]+)?)([bkmg])b?", re.IGNORECASE)
UNITS = {"b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
LEAST_MEMORY = 6 * 2**20  # below it, the engine makes no container
LONGEST_NAME = 40  # of a project: container and volume names hold it, and more


def misnamed(name: str) -> str:
    """Why no site would read a variable of that name; empty where it may. Never shows what is not a name."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return "has what cannot be the name of a variable"
    if KNOWN.get(name.lower(), name) != name:  # it would be set, and read by nothing: the site goes on without it
        return f"{name} is not {KNOWN[name.lower()]}: capital letters count"
    return ""


def impossible(project: "Project") -> Iterator[Wrong]:
    yield from _unprintable(msgspec.to_builtins(project))
    yield from _site(project)
    if not NAME.fullmatch(project.name) or len(project.name) > LONGEST_NAME:
        what = f"{project.name!r} cannot name an image"
        yield "name", what, f"write up to {LONGEST_NAME} of a-z and 0-9, with single - . _ between them"
    yield from _image(project)
    yield from _targets(project)
    for name, value in project.variables.items():
        if what := misnamed(name):
            yield "variables", printable(what), "write letters, digits and underscores, as the site reads the name"
        elif name == "DATABASE_URL" and not value.strip():
            yield f"variables.{name}", "is empty", "write the database's address, or take the line out"


def _unprintable(value: object, key: str = "") -> Iterator[Wrong]:
    """Control characters, which no setting means; a variable may go over several lines."""
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, object]", value).items():
            yield from _unprintable(name, key)
            yield from _unprintable(inner, f"{key}.{name}".strip("."))
    elif isinstance(value, list | tuple):
        for inner in cast("list[object]", value):
            yield from _unprintable(inner, key)
    elif isinstance(value, str):
        allowed = "\n\t" if key.startswith("variables") else ""
        if any(
            not one.isprintable() and one not in allowed and (one < " " or one == "\x7f" or _is_half(one))
            for one in value
        ):
            yield printable(key), "holds a control character or what is not UTF-8", "write it without"


def _is_half(character: str) -> bool:
    return "\ud800" <= character <= "\udfff"


def _site(project: "Project") -> Iterator[Wrong]:
    site = project.site
    if not site.sources:
        yield "site.sources", "names nothing", "name files and folders of the checkout"
    if any(not source.strip() for source in site.sources):
        yield "site.sources", "holds an empty name", 'name files and folders; "." is the whole checkout'
    if not site.requirements.strip():
        yield "site.requirements", "is empty", "name the compiled requirements file"
    if not [word for word in shlex.split(site.start)[:1] if word]:
        yield "site.start", "is empty", "write the command that serves the site on $PORT"
    if site.manage and PurePosixPath(site.manage) == PurePosixPath("."):
        yield "site.manage", f"{site.manage!r} is a folder", 'name manage.py; for a site that is not Django, ""'


def _image(project: "Project") -> Iterator[Wrong]:
    image, repository = project.image, project.registry.repository
    if not REFERENCE.fullmatch(image.base):
        example = "write it like python:3.13-slim-trixie, with a tag or a digest and without a scheme"
        yield "image.base", f"{image.base!r} is no reference of an image", example
    if not PLATFORM.fullmatch(image.platform):
        yield "image.platform", f"{image.platform!r} is no platform of an image", "write linux/amd64 or linux/arm64"
    for name in image.system:
        if not PACKAGE.fullmatch(name):
            yield "image.system", f"{name!r} is no package of Debian", "write one name an entry, such as libmagic1t64"
    if repository and not REPOSITORY.fullmatch(repository):
        example = "write host/name in lower case, without a scheme and without a tag"
        yield "registry.repository", f"{repository!r} is no repository", example


def _targets(project: "Project") -> Iterator[Wrong]:
    docker = project.targets.docker
    for name, port in (("process", project.targets.process.port), ("docker", docker.port)):
        if not 1 <= port <= 65535:
            yield f"targets.{name}.port", "is no port", "write one from 1024 to 65535"
    for name, value in (("instances", docker.instances), ("pids", docker.pids)):
        if not 1 <= value < 2**31:
            yield f"targets.docker.{name}", "is not possible", "write a whole number from 1 on"
    size = MEMORY.fullmatch(docker.memory)
    if size is None or float(size[1]) * UNITS[size[2].lower()] < LEAST_MEMORY:
        what = f"{docker.memory!r} is no memory that a container can have"
        yield "targets.docker.memory", what, 'write a number and m or g, such as "512m" or "1g"'
    if docker.registry and not project.registry.repository:
        yield "registry.repository", "is empty, and targets.docker.registry is true", 'write "host/name"'
    for name, table in project.targets.providers.items():
        for key, value in msgspec.structs.asdict(table).items():
            if isinstance(value, str) and not value.strip():
                yield f"targets.{name}.{key}", "is empty", "write the name or id that the provider shows"
