"""The stack's settings, with the keys that the uploader has. Nothing happens in the cloud before it is provisioned."""

from dataclasses import dataclass
from typing import ClassVar

from stayput import keys
from stayput.keys import Keys
from stayput.stack import Stack


@dataclass(frozen=True, kw_only=True)
class Rekey:
    name: ClassVar = "rekey"
    keys: Keys
    reason: str

    def __str__(self) -> str:
        return f"set the uploader's keys: {self.keys}; {self.reason}"

    def perform(self, stack: Stack) -> None:
        keys.write(stack, self.keys)
