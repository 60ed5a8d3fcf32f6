"""The build, made ready to be started at its target."""

from dataclasses import dataclass
from typing import ClassVar

from stayput.release import Build
from stayput.targets import Target


@dataclass(frozen=True, kw_only=True)
class Publish:
    name: ClassVar = "publish"
    build: Build
    reason: str

    def __str__(self) -> str:
        return f"make build {self.build.id} ready: {self.reason}"

    def perform(self, target: Target) -> None:
        target.publish(self.build)
