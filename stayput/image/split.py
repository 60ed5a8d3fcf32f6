"""An environment in folders that become a layer each: what comes out as before is not shipped again. Standard library.

split.py VENV OUT    moves VENV to OUT/0/VENV to OUT/3/VENV: the distributions of 32 MB and more, of 8, of 2, all else
"""

import importlib.metadata
import sys
from collections import Counter
from pathlib import Path

LEAST = (32_000_000, 8_000_000, 2_000_000)  # bytes of a distribution in each layer but the last


def split(venv: Path, out: Path) -> None:
    site = next(venv.glob("lib/python*/site-packages")).relative_to(venv)
    for number in range(len(LEAST)):
        (out / str(number) / venv.name / site).mkdir(parents=True)
    rest = out / str(len(LEAST)) / venv.name
    rest.parent.mkdir()
    venv.rename(rest)
    owners = _owners(rest / site)
    sizes: Counter[str] = Counter()
    for top, owner in owners.items():
        sizes[owner] += _size(rest / site / top)
    for top, owner in owners.items():
        number = next((n for n, least in enumerate(LEAST) if sizes[owner] >= least), None)
        if number is not None:
            (rest / site / top).rename(out / str(number) / venv.name / site / top)


def _owners(site: Path) -> dict[str, str]:
    """What lies directly in site-packages → the first distribution by name that says it is its own."""
    owners: dict[str, str] = {}
    for found in sorted(importlib.metadata.distributions(path=[str(site)]), key=lambda one: one.metadata["Name"]):
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            if (site / top).exists():
                owners.setdefault(top, found.metadata["Name"])
    return owners


def _size(path: Path) -> int:
    return sum(file.lstat().st_size for file in (path.rglob("*") if path.is_dir() else [path]))


if __name__ == "__main__":
    split(Path(sys.argv[1]), Path(sys.argv[2]))
