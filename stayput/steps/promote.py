"""The traffic, handed from the release that served to the one that was proven."""

from dataclasses import dataclass
from typing import ClassVar

from stayput.release import Release
from stayput.targets import Target


@dataclass(frozen=True, kw_only=True)
class Promote:
    name: ClassVar = "promote"
    release: Release
    reason: str

    def __str__(self) -> str:
        return f"give release {self.release.id} the traffic: {self.reason}"

    def perform(self, target: Target) -> None:
        target.promote(self.release)
