"""The release, started and healthy under its own id."""

from dataclasses import dataclass
from typing import ClassVar

from stayput.release import Release
from stayput.targets import Target


@dataclass(frozen=True, kw_only=True)
class Start:
    name: ClassVar = "start"
    release: Release
    reason: str

    def __str__(self) -> str:
        return f"start release {self.release.id}: {self.reason}"

    def perform(self, target: Target) -> None:
        target.start(self.release)
