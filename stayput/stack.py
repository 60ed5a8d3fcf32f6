"""A Pulumi stack as the tool sees it: its name, its settings file, and the private folder of what it keeps."""

import re
from dataclasses import dataclass
from pathlib import Path

from stayput.errors import WrongUse
from stayput.text import printable


@dataclass(frozen=True)
class Stack:
    root: Path  # of the checkout
    name: str = "local"

    def __post_init__(self) -> None:
        """Raises WrongUse for a name that is no stack's: it is part of file names."""
        if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", self.name):
            what, next_step = "is not the name of a stack", "write letters, digits, and - . _"
            raise WrongUse(f"--stack {printable(self.name)}", what, next_step)

    @property
    def settings(self) -> Path:
        return self.root / f"Pulumi.{self.name}.yaml"

    @property
    def home(self) -> Path:
        """State, ledger, secrets and logs of this stack; never in git, never in an image."""
        return self.root / ".stayput" / self.name

    @property
    def secrets(self) -> Path:
        return self.home / "secrets.json"


def stack_named(root: Path, name: str | None) -> Stack:
    """name: None for this machine's. An empty one is refused: another was meant."""
    return Stack(root) if name is None else Stack(root, name)
