"""What goes into an image, and which of it changed. Reads files, writes nothing."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from stayput.errors import WrongUse
from stayput.image import Image
from stayput.project import Project
from stayput.release import Build, name_build, site_files

DOCKER_FILES = ("docker/Dockerfile", "docker/again", "docker/entrypoint", "requirements/uv.txt")
INSIDE = Path(__file__).with_name("inside.py")
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)([ \t]*;[^\\\n]*)?", re.MULTILINE)


def measure(root: Path, project: Project, base_digest: str) -> Build:
    """The build that this tree gives on that base. Raises WrongUse when a file is not there."""
    files = {name: _digest(file.read_bytes()) for name, file in site_files(root, project.site)}
    lock = _read(root, project.site.requirements, "compile it: requirements/compile")
    recipe = {name: _digest(_read(root, name, "take it from the project's template")) for name in DOCKER_FILES}
    return name_build(
        {
            "source": _digest(json.dumps([files, project.site.start, project.site.manage], sort_keys=True).encode()),
            "dependencies": _digest(lock),
            "system": ",".join(sorted(project.image.system)),
            "base": f"{project.image.base} {base_digest}",
            "dockerfile": _digest(json.dumps([recipe, _digest(INSIDE.read_bytes())]).encode()),
            "platform": project.image.platform,
        }
    )


def context(root: Path, project: Project, build: Build) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every file that a build sees: what was measured, and nothing else of the checkout."""
    for name, file in site_files(root, project.site):
        yield name, file.read_bytes()
    for name in (project.site.requirements, *DOCKER_FILES):
        yield name, (root / name).read_bytes()
    yield "stayput/image/inside.py", INSIDE.read_bytes()
    site, image = project.site, project.image
    tables = {
        "site": {
            "sources": site.sources,
            "requirements": site.requirements,
            "start": site.start,
            "manage": site.manage,
        },
        "image": {"system": image.system},
    }
    lines = [f"[{table}]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in t.items()) for table, t in tables.items()]
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


def _read(root: Path, name: str, next_step: str) -> bytes:
    try:
        return (root / name).read_bytes()
    except FileNotFoundError:
        raise WrongUse("the image", f"{name} is not there", next_step) from None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
