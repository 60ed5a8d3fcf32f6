"""Where a stack's state lives, and the environment in which Pulumi's command finds it."""

import json
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from stayput.engine import stackfile
from stayput.engine.cli import Cli
from stayput.secrets import write_private
from stayput.stack import Stack


def passphrase(stack: Stack) -> Path:
    """The file with the passphrase that a stack's secrets are encrypted with, where no login says otherwise."""
    return stack.home / "passphrase"


def is_ours(stack: Stack, on_this_machine: bool) -> bool:
    """Whether the state is in the stack's own folder: always for this machine's cloud, else without a login."""
    return on_this_machine or not _logged_in(stack)


def variables(stack: Stack, cli: Cli, on_this_machine: bool) -> dict[str, str]:
    """What any Pulumi command for the stack is given, wherever it is typed; what a login says is left alone."""
    environment = {
        "PULUMI_STACK": stack.name,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PATH": os.pathsep.join((str(Path(sys.prefix) / "bin"), str(cli.path.parent), os.environ.get("PATH", ""))),
    }
    if is_ours(stack, on_this_machine):
        environment["PULUMI_BACKEND_URL"] = stack.home.as_uri()
        if on_this_machine or not {"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(os.environ):
            environment["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(passphrase(stack))
    if on_this_machine:
        environment["PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER"] = "true"
    return environment


def for_a_command(stack: Stack, cli: Cli, on_this_machine: bool) -> dict[str, str]:
    """The same for a command that is run from here, with the passphrase itself: it is never shown."""
    environment = variables(stack, cli, on_this_machine)
    if on_this_machine:
        environment["PULUMI_CONFIG_PASSPHRASE"] = passphrase(stack).read_text()
    return environment


def prepare(stack: Stack) -> None:
    """The stack's folder, with a passphrase that is drawn once."""
    stack.home.mkdir(parents=True, exist_ok=True)
    if not passphrase(stack).exists():
        write_private(passphrase(stack), secrets.token_urlsafe(32).encode())


def mend(stack: Stack) -> None:
    """Put right what an engine that was killed while it wrote left empty: the state, or the note beside a file."""
    for note in stack.home.glob(".pulumi/**/*.attrs"):
        if not note.stat().st_size:
            note.unlink()  # a file without one is read all the same
    for state in stack.home.glob(".pulumi/stacks/**/*.json"):
        before = state.with_name(state.name + ".bak")
        if not state.stat().st_size and before.exists() and before.stat().st_size:
            write_private(state, before.read_bytes())


def attached(port: int, url: str) -> dict[str, str]:
    """What points the engine at this machine's cloud: the stand-in's port, and the cloud's own address.

    It would look for the official plugin all the same, and fetch it.
    """
    return {
        "PULUMI_DEBUG_PROVIDERS": f"aws:{port}",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "STAYPUT_CLOUD_URL": url,
    }


def as_exports(environment: Mapping[str, str]) -> list[str]:
    """Lines for `eval` in a POSIX shell."""
    return [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]


def _logged_in(stack: Stack) -> bool:
    """Whether a place for the state is chosen: in the environment, in Pulumi.yaml, or by `pulumi login`."""
    if os.environ.get("PULUMI_BACKEND_URL") or os.environ.get("PULUMI_ACCESS_TOKEN"):
        return True
    if stackfile.mapping(stack.root / "Pulumi.yaml").get("backend"):
        return True
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    try:
        return bool(json.loads((home / "credentials.json").read_bytes()).get("current"))
    except (OSError, ValueError, AttributeError):
        return False
