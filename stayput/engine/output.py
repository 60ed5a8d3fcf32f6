"""The stack outputs as the state has them: neither the program nor the cloud is asked for them."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from stayput.engine import backend
from stayput.engine.cli import Cli
from stayput.engine.faults import explained
from stayput.stack import Stack


def read(stack: Stack, cli: Cli, environment: Mapping[str, str], folder: Path) -> Mapping[str, Any] | None:
    """By name, secrets in clear; empty where `up` never ended, None where there is no stack. Raises StayputError.

    environment: what Pulumi's command is given besides this process's own; folder: where it finds its project.
    """
    command = [cli.path, "stack", "output", "--json", "--show-secrets", "--non-interactive", "--stack", stack.name]
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    if done.returncode == 0:
        return json.loads(done.stdout or "{}")
    if "no stack named" in done.stderr:
        return None
    raise explained(f"stack {stack.name}", (), done.stderr, str(backend.passphrase(stack)))
