"""What is secret, how it is hidden, and how two secrets are compared without being shown."""

import contextlib
import hashlib
import hmac
import json
import os
import secrets as randomness
import tempfile
from dataclasses import InitVar, dataclass, field, fields
from pathlib import Path

import msgspec

from stayput import redact
from stayput.django.variables import VARIABLES
from stayput.errors import NeedsAPerson, StayputError


@dataclass(frozen=True)
class Secret:
    """Equal by value, printed never. `.value` is read where a secret leaves for its destination.

    hide: the redactor learns it. False for a value that only travels with secrets, such as a bucket's name.
    """

    value: str = field(repr=False)
    hide: InitVar[bool] = True

    def __post_init__(self, hide: bool) -> None:
        if hide:
            redact.learn(self.value)

    def __str__(self) -> str:
        return "****"


# Variables whose values may be shown; those that a provider sets by itself are named after it.
PLAIN = frozenset(one.name for one in VARIABLES if not one.secret) | {
    "DJANGO_SETTINGS_MODULE",
    "PYTHONPATH",
    "TZ",
    "LANG",
}
OF_PROVIDERS = ("RAILWAY_", "RENDER_", "KOYEB_")


def secret_of(name: str, value: str) -> Secret:
    """The value of a variable that others set: the redactor hides it, unless that name is of a plain one."""
    return Secret(value, hide=name not in PLAIN and not name.startswith(OF_PROVIDERS))


def plain(value: "str | Secret") -> str:
    """The text of a variable, for the one place that hands it to its destination."""
    return value.value if isinstance(value, Secret) else value


def fingerprint(key: Secret, value: str) -> str:
    """16 hex digits of HMAC-SHA256: tells two values apart, and nothing public leads back to either."""
    return hmac.new(key.value.encode(), value.encode(), hashlib.sha256).hexdigest()[:16]


def write_private(path: Path, content: bytes) -> None:
    """Replace a file in one act; only its owner may ever read it (0600), also while it is written."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)  # made with 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(name).unlink()
        raise


@dataclass(frozen=True)
class StackSecrets:
    """The three secrets of a stack, made once and kept for its life."""

    secret_key: Secret
    stayput_key: Secret
    fingerprint_key: Secret


def load_or_draw(path: Path) -> StackSecrets:
    """The stack's secrets from its private file; new ones, not yet kept, where there is none. Reads only."""
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        if not all(kept.values()):
            raise ValueError
        return StackSecrets(**{name: Secret(value) for name, value in kept.items()})
    except FileNotFoundError:
        return StackSecrets(*(Secret(randomness.token_urlsafe(48)) for _ in range(3)))
    except (ValueError, TypeError, OSError, msgspec.DecodeError):
        raise NeedsAPerson(
            str(path), "cannot be read", "restore it from a backup; without it, every session ends"
        ) from None


def keep(path: Path, secrets: StackSecrets) -> None:
    """Write new secrets to the stack's private file. Raises StayputError when others were kept there meanwhile."""
    if path.exists() and load_or_draw(path) != secrets:
        raise StayputError(str(path), "was made by another command meanwhile", "run this again")
    write_private(
        path, json.dumps({field.name: getattr(secrets, field.name).value for field in fields(secrets)}).encode()
    )
