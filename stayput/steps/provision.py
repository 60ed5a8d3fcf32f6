"""The cloud: bucket, uploader and key become what the program in infra/ says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from stayput.engine import Change, Cloud, Engine


@dataclass(frozen=True, kw_only=True)
class Provision:
    name: ClassVar = "provision"
    changes: tuple[Change, ...]
    reason: str

    def __str__(self) -> str:
        return f"provision the stack: {self.reason}"

    def perform(self, engine: Engine, say: Callable[[str], None]) -> Cloud:
        return engine.up(say)
