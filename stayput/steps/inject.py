"""The variables, handed to the target. The one step that carries secrets; it never shows one."""

from dataclasses import dataclass
from typing import ClassVar

from stayput.release import Release
from stayput.targets import Target


@dataclass(frozen=True, kw_only=True)
class Inject:
    name: ClassVar = "inject"
    release: Release
    reason: str

    def __str__(self) -> str:
        return f"inject {len(self.release.variables)} variables: {self.reason}"

    def perform(self, target: Target) -> None:
        target.inject(self.release)
