"""A provider's token: from a variable, else a file that one names, else this machine's keyring. The first is taken."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stayput.errors import WrongUse
from stayput.secrets import Secret

SERVICE = "stayput"  # as the keyring knows it


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of token that a provider has."""

    name: str  # of its variable, "RENDER_API_KEY"; the keyring has it under that name, too
    speaks_for: str  # "one environment of one project"
    make: str  # where a person makes one


@dataclass(frozen=True, kw_only=True)
class Token:
    kind: Kind
    secret: Secret
    place: str  # where it was found, for people


def find(kinds: Sequence[Kind], environment: Mapping[str, str], keyring: Callable[[str], str] | None) -> Token:
    """kinds: the least powerful first. keyring: asks it for a name; None: it is not asked. Raises WrongUse."""
    for look in (_variables(environment), _files(environment), _entries(keyring)):
        for kind in kinds:
            found, place = look(kind.name)
            if found:
                return Token(kind=kind, secret=Secret(found), place=place)
    least = kinds[0]
    what = f"there is no token: {' or '.join(kind.name for kind in kinds)} is not set"
    next_step = f"make one, {least.make}, and export it: {least.name} speaks for {least.speaks_for}"
    raise WrongUse("the environment", what, next_step)


def ask_keyring(name: str) -> str:
    """The value under that name; empty where there is none. Raises WrongUse where the keyring cannot be asked."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        next_step = 'install it: pip install "stayput[keyring]", or take keyring out of stayput.toml'
        raise WrongUse("the keyring", "its library is not installed", next_step) from None
    try:
        return keyring.get_password(SERVICE, name) or ""
    except KeyringError as problem:
        what = f"cannot be asked: {str(problem).splitlines()[0] if str(problem) else type(problem).__name__}"
        raise WrongUse("the keyring", what, f"unlock it, or export {name}") from None


Look = Callable[[str], tuple[str, str]]  # name → (value, place); an empty value: not there


def _variables(environment: Mapping[str, str]) -> Look:
    return lambda name: (environment.get(name, ""), "the environment")


def _files(environment: Mapping[str, str]) -> Look:
    def look(name: str) -> tuple[str, str]:
        if not (path := environment.get(f"{name}_FILE", "")):
            return "", ""
        try:
            found = Path(path).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            what = f"{path} cannot be read: {getattr(problem, 'strerror', None) or 'it is not text'}"
            raise WrongUse(f"{name}_FILE", what, "name a file that holds the token and nothing else") from None
        if not found:
            raise WrongUse(f"{name}_FILE", f"{path} is empty", "name a file that holds the token and nothing else")
        return found, f"the file {path}"

    return look


def _entries(keyring: Callable[[str], str] | None) -> Look:
    return lambda name: (keyring(name) if keyring else "", "the keyring")


def told(token: Token, kinds: Sequence[Kind]) -> Iterator[str]:
    """What is to say of it: which kind was found where, and that a less powerful one would do."""
    yield f"{token.kind.name}, from {token.place}, speaks for {token.kind.speaks_for}"
    if token.kind != kinds[0]:
        yield f"{kinds[0].name} would do, for {kinds[0].speaks_for} alone: {kinds[0].make}"
