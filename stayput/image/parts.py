"""The parts of a build and its name, the same from the tool and in an image's first stage. The standard library alone.

parts.py CONTEXT OUT BASE    lays the parts out, each in a place of its own, so that each has a layer of its own
"""

import codecs
import hashlib
import json
import os
import platform
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

EPOCH = 0  # the time stamp of every file that a build makes
RECIPE = (
    "docker/Dockerfile",
    "docker/again",
    "docker/entrypoint",
    "requirements/uv.txt",
    "stayput/image/inside.py",
    "stayput/image/parts.py",
    "stayput/image/split.py",
)
PLUGGED_IN = ("stayput/__init__.py", "stayput/django")  # with a Django site
LFS_POINTER = b"version https://git-lfs.github.com/spec/v1"
MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


def name_parts(
    files: Mapping[str, str],
    recipe: Mapping[str, str],
    *,
    start: str,
    manage: str,
    variables: Mapping[str, str],
    lock: str,
    system: Sequence[str],
    base: str,
    platform: str,
) -> dict[str, str]:
    """What a build is named by. files, recipe: path → digest of the site's and the Dockerfile's; lock: its digest."""
    source = [dict(files), start, manage, *([dict(variables)] if variables else [])]
    return {
        "source": digest(json.dumps(source, sort_keys=True).encode()),
        "dependencies": lock,
        "system": ",".join(sorted(system)),
        "base": base,
        "dockerfile": digest(json.dumps(dict(recipe), sort_keys=True).encode()),
        "platform": platform,
    }


def name_build(parts: Mapping[str, str]) -> str:
    return digest(json.dumps(dict(parts), sort_keys=True).encode())[:12]


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def prepare(context: Path, out: Path, base: str) -> None:
    """Lay out what the Dockerfile copies: app/, entrypoint; and lends: requirements, uv and system.txt, variables.json.

    The build is the one that the tool measured, if it sent one; on a platform it is named here, from what is here.
    Exits when it was measured for another platform: BuildKit takes a base that is there, whatever it is for.
    """
    here = f"linux/{MACHINES.get(platform.machine(), platform.machine())}"
    settings = tomllib.loads((context / "stayput.toml").read_text(encoding="utf-8-sig"))
    site, image = settings["site"], settings.get("image", {})
    start, manage, system = site["start"], site.get("manage", "manage.py"), image.get("system", ())
    variables = settings.get("variables", {})
    app = out / "app"
    files = dict(_files(context, (*site["sources"], *(PLUGGED_IN if manage else ()))))
    for name, file in files.items():
        (app / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, app / name)
    lock = _lock(context, site["requirements"])
    measured = context / "stayput-build.json"
    if measured.exists():
        wanted = json.loads(measured.read_text())["parts"]["platform"]
        if not wanted.startswith(here):
            sys.exit(f"stayput: the base here is for {here}, not {wanted}: docker pull --platform {wanted} {base}")
        shutil.copy(measured, app)
    else:
        parts = name_parts(
            {name: _digest_of(file) for name, file in files.items()},
            {name: digest((context / name).read_bytes()) for name in RECIPE},
            start=start,
            manage=manage,
            variables=variables,
            lock=digest(lock),
            system=system,
            base=base,
            platform=here,
        )
        (app / "stayput-build.json").write_text(json.dumps({"build": name_build(parts), "parts": parts}))
    (app / "stayput-start.json").write_text(json.dumps({"start": start, "manage": manage}))
    (out / "variables.json").write_text(json.dumps(variables))
    (out / "requirements.txt").write_bytes(lock)
    shutil.copy(context / "requirements/uv.txt", out / "uv.txt")
    shutil.copy(context / "docker/entrypoint", out / "entrypoint")
    (out / "system.txt").write_text("".join(f"{name}\n" for name in sorted(system)))
    (out / "data").mkdir()
    for path in (out, *out.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        os.utime(path, (EPOCH, EPOCH))


def _lock(context: Path, name: str) -> bytes:
    """A requirements file as UTF-8 with LF: PowerShell writes UTF-16, and a checkout may have turned the line ends."""
    content = (context / name).read_bytes()
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if utf16 else "utf-8-sig").replace("\r\n", "\n").encode()
    except UnicodeDecodeError:
        sys.exit(f"stayput: {name} is not UTF-8")


def _digest_of(file: Path) -> str:
    return digest(file.read_bytes()) + ("+x" if file.stat().st_mode & 0o100 else "")


def _files(context: Path, sources: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """(path, file) of all below the sources, through links too. Exits for what a platform left out."""
    _refuse_empty_submodules(context, sources)
    for source in sources:
        yield from _below(context, context / source, ())


def _below(context: Path, place: Path, above: tuple[Path, ...]) -> Iterator[tuple[str, Path]]:
    """above: the folders that led here, so that links in a circle are noticed."""
    name = place.relative_to(context).as_posix()
    real = place.resolve() if place.exists() else None
    if real is None or real in above or not real.is_relative_to(context.resolve()):
        sys.exit(f"stayput: {name} leads to nothing of this checkout")
    if place.is_dir():
        for one in sorted(place.iterdir()):
            if one.name not in (".git", ".stayput", "__pycache__"):
                yield from _below(context, one, (*above, real))
        return
    with place.open("rb") as file:
        if file.read(len(LFS_POINTER)) == LFS_POINTER:
            sys.exit(f"stayput: {name} is the pointer of a file in Git LFS, which was not brought here")
    yield name, place


def _refuse_empty_submodules(context: Path, sources: Sequence[str]) -> None:
    modules = context / ".gitmodules"
    said = modules.read_text() if modules.exists() else ""
    for name in re.findall(r"^\s*path\s*=\s*(.+?)\s*$", said, re.MULTILINE):
        folder = context / name
        inside = any(folder.is_relative_to(context / source) for source in sources)
        if inside and not (folder.is_dir() and any(folder.iterdir())):
            sys.exit(f"stayput: {name} is a submodule, and is not checked out here")


if __name__ == "__main__":
    if Path("/etc/alpine-release").exists():
        sys.exit(f"stayput: {sys.argv[3]} is Alpine, for which few wheels are made: name a Debian one in [image] base")
    prepare(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
