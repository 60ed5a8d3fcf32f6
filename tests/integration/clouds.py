"""The Pulumi program in a folder of its own, to be provisioned, changed and broken."""

import shutil
from pathlib import Path

from stayput.stack import Stack

ROOT = Path(__file__).parents[2]


def copy_program(root: Path) -> Stack:
    shutil.copytree(ROOT / "infra", root / "infra", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Pulumi.yaml", "Pulumi.local.yaml"):
        shutil.copy2(ROOT / name, root / name)
    return Stack(root)
