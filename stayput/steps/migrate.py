"""The database, brought to the release's schema before the release is started."""

from dataclasses import dataclass
from typing import ClassVar

from stayput.release import Release
from stayput.targets import Target


@dataclass(frozen=True, kw_only=True)
class Migrate:
    name: ClassVar = "migrate"
    release: Release
    reason: str

    def __str__(self) -> str:
        return f"migrate the database: {self.reason}"

    def perform(self, target: Target) -> str:
        return target.migrate(self.release)
