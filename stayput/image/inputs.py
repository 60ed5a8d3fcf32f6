"""What goes into an image, and which of it changed. Reads files, writes nothing."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from docker.utils.build import PatternMatcher

from stayput.errors import WrongUse
from stayput.image import Image
from stayput.image.parts import RECIPE, digest, name_parts
from stayput.project import Project
from stayput.release import Build, deployed, digests, name_build, read_lock
from stayput.tree import File

DOCKERFILE = "docker/Dockerfile"
TEMPLATE = "take it from the project's template"
INSIDE = Path(__file__).with_name("inside.py")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)([ \t]*;[^\\\n]*)?", re.MULTILINE)


def measure(root: Path, project: Project, base_digest: str) -> Build:
    """The build that this tree gives on that base. Raises WrongUse when a file is not there."""
    return _measure(root, project, deployed(root, project.site), f"{project.image.base} {base_digest}")


def measure_repository(root: Path, project: Project) -> Build:
    """The build that a platform makes of this tree: docker build -f docker/Dockerfile, with no other word.

    It is on the Dockerfile's own base, whose digest only the platform knows, and without what is in .dockerignore.
    """
    ignored = PatternMatcher(_read(root, f"{DOCKERFILE}.dockerignore", TEMPLATE).decode().splitlines())
    files = (file for file in deployed(root, project.site) if not _is_ignored(Path(file.name), ignored))
    base = re.search(r"^ARG BASE=(\S+)", _read(root, DOCKERFILE, TEMPLATE).decode(), re.MULTILINE)
    return _measure(root, project, files, base[1] if base else "")


def _measure(root: Path, project: Project, files: Iterable[File], base: str) -> Build:
    parts = name_parts(
        digests(files),
        {name: digest(_recipe(root, name)) for name in RECIPE},
        start=project.site.start,
        manage=project.site.manage,
        variables=project.variables,
        lock=digest(read_lock(root, project.site.requirements).encode()),
        system=project.image.system,
        base=base,
        platform=project.image.platform,
    )
    return name_build(parts)


def context(root: Path, project: Project, build: Build) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every file that a build sees: what was measured, and nothing else of the checkout."""
    for file in deployed(root, project.site):
        yield file.name, file.content()
    yield project.site.requirements, read_lock(root, project.site.requirements).encode()
    for name in RECIPE:
        yield name, _recipe(root, name)
    site, image = project.site, project.image
    tables = {
        "site": {
            "sources": site.sources,
            "requirements": site.requirements,
            "start": site.start,
            "manage": site.manage,
        },
        "image": {"system": image.system},
        "variables": project.variables,
    }
    lines = [
        f"[{table}]\n" + "".join(f"{json.dumps(k)} = {json.dumps(v)}\n" for k, v in t.items())
        for table, t in tables.items()
    ]
    yield "stayput.toml", "".join(lines).encode()  # texts and lists are written alike in JSON and in TOML
    yield "stayput-build.json", json.dumps({"build": build.id, "parts": dict(build.parts)}).encode()


def without_hashes(lock: str) -> str:
    """The pins of a compiled requirements file, one a line, markers kept."""
    return "\n".join(f"{name}=={version}{marker or ''}".strip() for name, version, marker in PIN.findall(lock))


def rebuilt(build: Build, lock: str, earlier: Image | None) -> tuple[dict[str, str], ...]:
    """{part, reason} for every part that the earlier image did not have so."""
    if earlier is None:
        return tuple({"part": part, "reason": "the first image"} for part in build.parts)
    return tuple(
        {"part": part, "reason": _reason(part, build.parts, lock, earlier)}
        for part in build.changed_since(earlier.parts)
    )


def _reason(part: str, parts: Mapping[str, str], lock: str, earlier: Image) -> str:
    if part in ("base", "platform", "system"):
        return f"{earlier.parts.get(part) or 'none'} → {parts[part] or 'none'}"
    if part != "dependencies":
        return "changed"
    now, before = dict(_pins(without_hashes(lock))), dict(_pins(earlier.lock))
    changes = [
        f"{name} {before[name]} → {version}" for name, version in now.items() if before.get(name, version) != version
    ]
    changes += [f"{name} {version} is new" for name, version in now.items() if name not in before]
    changes += [f"{name} {version} is gone" for name, version in before.items() if name not in now]
    return ", ".join(changes) or "the same versions, other hashes"


def _pins(lock: str) -> Iterator[tuple[str, str]]:
    yield from ((name, version) for name, version, _ in PIN.findall(lock))


def _is_ignored(path: Path, patterns: Any) -> bool:
    return any(patterns.matches(place.as_posix()) for place in (path, *path.parents))


def _recipe(root: Path, name: str) -> bytes:
    """A file of the recipe: the tool's own where it is the tool's, whatever is in the checkout."""
    ours = INSIDE.parent / Path(name).name
    content = ours.read_bytes() if name.startswith("stayput/") else _read(root, name, TEMPLATE)
    if b"\r\n" in content:  # no shell of an image runs it
        next_step = "save it with LF; in .gitattributes: * text=auto eol=lf"
        raise WrongUse("the image", f"{name} has the line ends of Windows", next_step)
    return content


def _read(root: Path, name: str, next_step: str) -> bytes:
    try:
        return (root / name).read_bytes()
    except FileNotFoundError:
        raise WrongUse("the image", f"{name} is not there", next_step) from None
    except OSError as problem:
        raise WrongUse("the image", f"{name} cannot be read: {problem.strerror}", next_step) from None
