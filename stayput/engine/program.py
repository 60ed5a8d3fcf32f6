"""The Pulumi program in infra/, as far as it is known without running it."""

import hashlib
import importlib.metadata
import json
import os
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stayput import infra
from stayput.errors import StayputError, WrongUse
from stayput.infra.settings import SettingsError, parse
from stayput.stack import Stack


@contextmanager
def modules(root: Path) -> Iterator[None]:
    """Within it `infra` is the one of that checkout, freshly read; afterwards all is as before."""
    before = {name: sys.modules.pop(name) for name in _loaded()}
    path = list(sys.path)
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in _loaded():
            del sys.modules[name]
        sys.modules.update(before)


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Within it the program finds these variables; afterwards all is as before."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def check(stack: Stack, config: Mapping[str, str]) -> None:
    """Judge the stack's settings before anything is made. Raises WrongUse."""
    try:
        parse(config)
    except SettingsError as error:
        raise WrongUse(f"{stack.settings.name}, {error.key}", error.what, error.next_step) from None


def explained(stack: Stack, error: Exception) -> StayputError:
    """A failure inside the program as one line that names the last place of it that is the program's own."""
    folder = str(stack.root / "infra")
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        places.append((error.filename or "", error.lineno))
    own = [f"{os.path.relpath(file, stack.root)}, line {line}" for file, line in places if file.startswith(folder)]
    said = (str(error).strip().splitlines() or ["it said nothing"])[0]
    what = f"{type(error).__name__}: {said}"
    return StayputError(own[-1] if own else "infra/", what, "correct the program; what was made so far is kept")


def ingredients(stack: Stack, config: Mapping[str, str]) -> dict[str, str]:
    """What an `up` is made of: each file of the program, the components, the settings, and the provider's version."""
    program, components = stack.root / "infra", Path(infra.__file__).parent
    files = {str(file.relative_to(stack.root)): _digest(file.read_bytes()) for file in sorted(program.rglob("*.py"))}
    library = _digest(b"".join(file.read_bytes() for file in sorted(components.glob("*.py"))))
    settings = _digest(json.dumps(dict(config), sort_keys=True).encode())
    version = importlib.metadata.version("pulumi_aws")
    return {**files, "stayput.infra": library, stack.settings.name: settings, "pulumi_aws": version}


def differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """In words: "infra/bucket.py and Pulumi.local.yaml changed"; empty when nothing did."""
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    return f"{', '.join(names[:-1])} and {names[-1]} changed".removeprefix(" and ") if names else ""


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _loaded() -> list[str]:
    return [name for name in sys.modules if name == "infra" or name.startswith("infra.")]
