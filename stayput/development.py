"""What `invoke test` runs: the checks of the project on itself."""

import os
import subprocess
import sys
import time
from pathlib import Path

# Tests wait more than they work. A file stays on one worker: what it sets up, it sets up once.
PARALLEL = ["-n", "2", "--dist", "loadfile"]


def check_everything(root: Path, kind: str) -> int:
    """Format, lint, types, imports, then the tests of one kind or all. Returns the exit code: 0 when all passed."""
    binaries = Path(sys.executable).parent
    tests = [str(binaries / "pytest"), *PARALLEL, f"tests/{kind}" if kind else "tests"]
    static = [
        [str(binaries / "ruff"), "format", "--check", "--quiet", "."],
        [str(binaries / "ruff"), "check", "--quiet", "."],
        [str(binaries / "basedpyright"), "--level", "error"],
        [str(binaries / "deptry"), "--no-ansi", "."],
        [str(binaries / "lint-imports"), "--no-cache", "--no-logo"],
    ]
    for command in [tests] if kind else [*static, tests]:
        started = time.monotonic()
        code = subprocess.run(command, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, check=False).returncode
        verdict = "passed" if code == 0 else "FAILED"
        sys.stderr.write(f"{Path(command[0]).name}: {verdict} in {time.monotonic() - started:.0f} s\n")
        if code:
            return 1
    return 0
