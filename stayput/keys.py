"""The uploader's access keys as the stack's settings say them: a generation, and what the one before may still do."""

import dataclasses
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from stayput.errors import WrongUse
from stayput.stack import Stack
from stayput.text import decode

GENERATION, PREVIOUS = "stayput:keyGeneration", "stayput:previousKey"
LINE = re.compile(rf"\s+[\"']?({GENERATION}|{PREVIOUS})[\"']?\s*:")


@dataclass(frozen=True, kw_only=True)
class Keys:
    """At most two keys, whatever happens: there is no way to say three."""

    generation: int = 1  # of the key that is handed out
    previous: Literal["active", "inactive"] | None = None  # None: the key before is gone

    def __str__(self) -> str:
        before = {"active": "still works", "inactive": "is disabled", None: "is gone"}[self.previous]
        return f"generation {self.generation} is handed out" + (f", {self.generation - 1} {before}" * (self != Keys()))

    def further(self) -> "Keys":
        """The next step of a rotation: a new key beside the old one; the old one disabled; the old one deleted."""
        match self.previous:
            case None:
                return Keys(generation=self.generation + 1, previous="active")
            case "active":
                return dataclasses.replace(self, previous="inactive")
            case "inactive":
                return dataclasses.replace(self, previous=None)


def read(stack: Stack) -> Keys:
    """The keys of a stack whose settings an engine has found valid."""
    config = _config(decode(stack.settings.read_bytes()))
    return Keys(generation=int(config.get(GENERATION, 1)), previous=config.get(PREVIOUS))


def write(stack: Stack, keys: Keys) -> None:
    """Say these keys in the stack's settings, in one act. Raises WrongUse for a file that a person has to edit."""
    file = stack.settings.resolve()
    text = decode(file.read_bytes())
    said = edited(text, keys)
    if _config(said) != {**_config(text), GENERATION: keys.generation, PREVIOUS: keys.previous}:
        wanted = ", ".join(_lines(keys))
        raise WrongUse(stack.settings.name, "is written in a way that only a person can edit", f"write {wanted}")
    with tempfile.TemporaryDirectory(prefix=file.name, dir=file.parent) as folder:
        fresh = Path(folder) / file.name
        fresh.write_text(said, encoding="utf-8")
        fresh.chmod(file.stat().st_mode)
        fresh.replace(file)


def edited(text: str, keys: Keys) -> str:
    """The text of a settings file with these keys in it; every other line, comments too, stays as it is."""
    lines = text.splitlines()
    there = [number for number, line in enumerate(lines) if LINE.match(line)]
    kept = [line for number, line in enumerate(lines) if number not in there]
    heading = next((number for number, line in enumerate(lines) if line.startswith("config:")), len(lines) - 1)
    place = there[0] if there else heading + 1
    below = next((line for line in lines[heading + 1 :] if line.strip()), "")
    indent = below[: len(below) - len(below.lstrip())] or "  "
    return "\n".join([*kept[:place], *(indent + line for line in _lines(keys)), *kept[place:]]) + "\n"


def _lines(keys: Keys) -> list[str]:
    return [f"{GENERATION}: {keys.generation}"] + ([f"{PREVIOUS}: {keys.previous}"] if keys.previous else [])


def _config(text: str) -> dict[str, Any]:
    """The config of a settings file, both keys' settings always among it."""
    try:
        found: object = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    config: object = cast(dict[str, object], found).get("config") if isinstance(found, dict) else None
    return {GENERATION: 1, PREVIOUS: None, **(cast(dict[str, Any], config) if isinstance(config, dict) else {})}
