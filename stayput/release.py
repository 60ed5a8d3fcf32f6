"""Builds and releases: what they are made of, and how they get their names. Reads files, writes nothing."""

import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import stayput
from stayput.errors import WrongUse
from stayput.project import Site
from stayput.secrets import Secret, fingerprint, plain
from stayput.text import decode
from stayput.tree import File, Tree

Variables = Mapping[str, str | Secret]


@dataclass(frozen=True, kw_only=True)
class Build:
    """What goes into an image, named by the digest of its parts: "source", "lock", "python", ... → hex digest."""

    id: str
    parts: Mapping[str, str]

    def changed_since(self, earlier: Mapping[str, str]) -> tuple[str, ...]:
        """The names of the parts that an earlier build did not have so."""
        return tuple(name for name, digest in self.parts.items() if earlier.get(name) != digest)


@dataclass(frozen=True, kw_only=True)
class Release:
    """A build plus a configuration. The id is known before anything runs."""

    id: str
    build: Build
    variables: Variables  # with STAYPUT_RELEASE among them
    fingerprints: Mapping[str, str]  # name → keyed fingerprint of the value


def name_build(parts: Mapping[str, str]) -> Build:
    return Build(id=_digest(json.dumps(parts, sort_keys=True))[:12], parts=dict(parts))


def name_release(build: Build, variables: Variables, key: Secret) -> Release:
    """The release of that build under those variables; `key` is the stack's fingerprint key."""
    prints = {name: fingerprint(key, plain(value)) for name, value in sorted(variables.items())}
    id = fingerprint(key, json.dumps([build.id, prints]))[:10]
    full = {**variables, "STAYPUT_RELEASE": id}
    return Release(id=id, build=build, variables=full, fingerprints={**prints, "STAYPUT_RELEASE": fingerprint(key, id)})


def measure_process_build(root: Path, site: Site) -> Build:
    """The build of this tree for the process target: its source, its lock, and this machine's Python."""
    lock = read_lock(root, site.requirements)
    return name_build(
        {
            "source": _digest(json.dumps(digests(deployed(root, site)), sort_keys=True)),
            "dependencies": _digest(lock),
            "python": f"{platform.python_version()} {platform.system()} {platform.machine()}".lower(),
        }
    )


def read_lock(root: Path, requirements: str) -> str:
    """The compiled requirements file, with LF whatever it was written with. Raises WrongUse."""
    try:
        return decode((root / requirements).read_bytes()).replace("\r\n", "\n")
    except FileNotFoundError:
        what, next_step = f"{requirements} is not there", "compile it: requirements/compile"
        raise WrongUse("stayput.toml, site.requirements", what, next_step) from None
    except OSError as problem:
        what = f"{requirements} cannot be read: {problem.strerror}"
        raise WrongUse("stayput.toml, site.requirements", what, "name a compiled requirements file") from None
    except ValueError as problem:
        raise WrongUse(requirements, str(problem), "save it as UTF-8") from None


def site_files(root: Path, site: Site) -> Iterator[tuple[str, Path]]:
    """(path in the release, file) for all that is deployed: the site's sources and stayput.django, never the tool."""
    yield from ((file.name, file.path) for file in deployed(root, site))


def deployed(root: Path, site: Site) -> Iterator[File]:
    """The same, with what is executable. Raises WrongUse for what cannot be deployed."""
    yield from Tree(root).files(site.sources)
    if not site.manage:  # not Django: nothing to plug in
        return
    package = Path(stayput.__file__).parent
    yield File("stayput/__init__.py", package / "__init__.py")
    for file in sorted((package / "django").rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield File(f"stayput/{file.relative_to(package).as_posix()}", file)


def digests(files: Iterable[File]) -> dict[str, str]:
    """Path → digest of the content; a file that is executable is another. parts.py says it alike."""
    return {file.name: _digest(file.content()) + ("+x" if file.executable else "") for file in files}


def _digest(content: str | bytes) -> str:
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()
