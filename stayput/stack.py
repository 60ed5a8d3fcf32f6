"""A Pulumi stack as the tool sees it: its name, its settings file, and the private folder of what it keeps."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Stack:
    root: Path  # of the checkout
    name: str = "local"

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
