"""Files of .stayput that can be made again: what is missing or damaged counts as not there."""

from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")


def recall(file: Path, kind: type[T]) -> T | None:
    """What the JSON in that file says, as that type; None where there is none, or it is something else."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except (FileNotFoundError, IsADirectoryError, msgspec.DecodeError, UnicodeDecodeError):
        return None
