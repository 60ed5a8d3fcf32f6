"""Pulumi's command: where it is, whether it is new enough, and how to have it."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stayput.errors import StayputError

VERSION = "3.258.0"  # what is installed where there is none; the SDK of this version is in the requirements
OLDEST = (3, 205)  # the first that streams its events
BUILD = Path(__file__).parent / "build"  # a pinned go.mod and go.sum for each program
HOST = "3.70.0"  # the newest language host that is a part of Pulumi's own module

ON_PATH, INSTALLED = "on PATH", "installed by engine.install"

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Cli:
    """A Pulumi command that can be used."""

    path: Path
    version: str  # "3.258.0"
    source: str  # ON_PATH or INSTALLED


def cache() -> Path:
    """Where it is installed: outside the checkout, a folder a version."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "stayput" / "pulumi" / VERSION


def find() -> Cli | None:
    """The command that is used: the one on PATH if it is new enough, else the installed one."""
    on_path = shutil.which("pulumi")
    if on_path and Path(on_path) != _installed():
        version = _version(Path(on_path))
        if _numbers(version) >= OLDEST:
            return Cli(path=Path(on_path), version=version, source=ON_PATH)
    return Cli(path=_installed(), version=VERSION, source=INSTALLED) if _installed().exists() else None


def why_not() -> str:
    """In words, why there is none to be found."""
    on_path = shutil.which("pulumi")
    if not on_path:
        return "there is no pulumi on PATH, and none was installed"
    said, needed = _version(Path(on_path)) or "not working", ".".join(map(str, OLDEST))
    return f"{on_path} is {said}, {needed} is needed, and none was installed"


def install(say: Say) -> Cli:
    """Bring the command if there is none: the official way, else built from source. Raises StayputError."""
    if there := find():
        return there
    target = cache()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{VERSION}-", dir=target.parent) as folder:
        made = Path(folder) / "root"
        if failed := _official(made):
            say(f"the official install did not work ({failed}); building it from source, which takes minutes")
            shutil.rmtree(made, ignore_errors=True)
            _build(made, say)
        if (said := _version(made / "bin" / "pulumi")) != VERSION:
            raise StayputError(
                "engine.install",
                f"what was installed says that it is {said or 'nothing'}, not {VERSION}",
                "install Pulumi by hand: https://www.pulumi.com/docs/install",
            )
        made.replace(target)  # in one act: what is there is whole
    return Cli(path=_installed(), version=VERSION, source=INSTALLED)


def _installed() -> Path:
    return cache() / "bin" / "pulumi"


def _version(path: Path) -> str:
    """What it says of itself, or an empty text."""
    quiet = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        ran = subprocess.run([path, "version"], capture_output=True, text=True, timeout=30, check=True, env=quiet)
    except (OSError, subprocess.SubprocessError):
        return ""
    return ran.stdout.strip().removeprefix("v")


def _numbers(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.split("-")[0].split("."))
    except ValueError:
        return ()


def _official(root: Path) -> str:
    """The Automation API's own installer. Returns why it failed, or an empty text."""
    from pulumi.automation import PulumiCommand

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        PulumiCommand.install(root=str(root))
    except subprocess.CalledProcessError as error:
        return (error.output.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
    except Exception as error:  # it raises whatever urllib does
        return str(error).splitlines()[0] if str(error) else type(error).__name__
    finally:
        socket.setdefaulttimeout(before)
    return ""


def _build(root: Path, say: Say) -> None:
    """Build the command and its Python host. Go's own cache makes a second try short. Raises StayputError."""
    if not shutil.which("go"):
        raise StayputError(
            "engine.install",
            "the official install cannot be reached, and there is no Go to build it with",
            "install Pulumi by hand (https://www.pulumi.com/docs/install), or Go, then run it again",
        )
    say(f"building Pulumi {VERSION}")
    _go_build("cli", "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi", VERSION, root / "bin" / "pulumi")
    say("building its Python host")
    host = "github.com/pulumi/pulumi/sdk/v3/python/cmd/pulumi-language-python"
    _go_build("language", host, HOST, root / "bin" / "pulumi-language-python")
    module = _go("cli", "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3").strip()
    launcher = "pulumi-language-python-exec"
    shutil.copyfile(Path(module) / "python" / "cmd" / launcher, root / "bin" / launcher)
    (root / "bin" / launcher).chmod(0o755)


def _go_build(module: str, package: str, version: str, output: Path) -> None:
    stamp = f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{version}"
    _go(module, "build", "-mod=readonly", "-trimpath", "-ldflags", stamp, "-o", str(output), package)


def _go(module: str, *arguments: str) -> str:
    ran = subprocess.run(["go", *arguments], cwd=BUILD / module, capture_output=True, text=True, check=False)
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise StayputError(f"go {arguments[0]}", said, "see what Go needs, then run it again: invoke engine.install")
    return ran.stdout
