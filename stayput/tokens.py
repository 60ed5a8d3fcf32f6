"""A provider's token: from a variable, else a file that one names, else this machine's keyring. The first is taken."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stayput.errors import WrongUse
from stayput.secrets import Secret
from stayput.text import decode

SERVICE = "stayput"  # as the keyring knows it
QUOTES = "\"'`\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


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
            if found := found.strip():  # a line end behind it is how CI and echo have it
                if what := _unlike_a_token(found):
                    next_step = "have the token there as the provider shows it, and nothing else"
                    raise WrongUse(f"{kind.name}, from {place}", what, next_step)
                return Token(kind=kind, secret=Secret(found), place=place)
    least = kinds[0]
    what = f"there is no token: {' or '.join(kind.name for kind in kinds)} is not set"
    next_step = f"make one, {least.make}, and export it: {least.name} speaks for {least.speaks_for}"
    raise WrongUse("the environment", what, next_step)


def _unlike_a_token(text: str) -> str:
    """What of it no provider's token has, nor a header could carry; empty for nothing. Shows nothing of it."""
    if text.lower().startswith("bearer "):
        return "begins with the word Bearer, which is of the header"
    if text[0] in QUOTES or text[-1] in QUOTES:
        return "has quotes around it"
    if not (text.isascii() and text.isprintable()):
        return "holds a line end or another character that no token has"
    return ""


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
            found = decode(Path(path).expanduser().read_bytes()).strip()
        except (OSError, ValueError, RuntimeError) as problem:
            what = f"{path} cannot be read: {getattr(problem, 'strerror', None) or problem}"
            raise WrongUse(f"{name}_FILE", what, "name a file that holds the token and nothing else") from None
        if not found:
            raise WrongUse(f"{name}_FILE", f"{path} is empty", "name a file that holds the token and nothing else")
        return found, f"the file {path}"

    return look


def _entries(keyring: Callable[[str], str] | None) -> Look:
    return lambda name: (keyring(name) if keyring else "", "the keyring")


def described(token: Token, kinds: Sequence[Kind]) -> Iterator[str]:
    """What is to say of it: which kind was found where, and that a less powerful one would do."""
    yield f"{token.kind.name}, from {token.place}, speaks for {token.kind.speaks_for}"
    if token.kind != kinds[0]:
        yield f"{kinds[0].name} would do, for {kinds[0].speaks_for} alone: {kinds[0].make}"
