"""One command's dealings with Pulumi's CLI for one stack: its environment, its program, its errors."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psutil
import yaml
from pulumi.automation import (
    CommandError,
    LocalWorkspace,
    OnEvent,
    OutputMap,
    PulumiCommand,
    StackNotFoundError,
    UpdateSummary,
)
from pulumi.automation import Stack as PulumiStack
from pulumi.automation._stack import StackInitMode
from semver import VersionInfo

from stayput.engine import Outputs, backend, output, program, stackfile
from stayput.engine.cli import Cli
from stayput.engine.events import Listener
from stayput.engine.faults import explained
from stayput.engine.inprocess import execute
from stayput.localcloud.provider import serve
from stayput.secrets import write_private
from stayput.stack import Stack


class _Command(PulumiCommand):
    """The command that was found: it said its version then, and is not asked again."""

    def __init__(self, cli: Cli) -> None:
        self.command, self.version = str(cli.path), VersionInfo.parse(cli.version)


class _Workspace(LocalWorkspace):
    def select_stack(self, stack_name: str) -> None:
        """The stack is named in every call; which one a shell works with is left alone."""


class _Stack(PulumiStack):
    """What an operation did is read from its events: the commands that would ask for it once more are left out."""

    def outputs(self) -> OutputMap:
        return {}

    def info(self, show_secrets: bool = True) -> UpdateSummary:
        return UpdateSummary(kind="", start_time=datetime.now(UTC), message="", environment={}, config={}, result="")


@dataclass
class Session:
    """An open way to the engine. Every failure of it is a StayputError."""

    stack: Stack
    cli: Cli
    pulumi: PulumiStack
    raised: list[Exception] = field(default_factory=list[Exception])  # by the program

    def run(self, operation: Callable[[OnEvent], object], say: Callable[[str], None] = lambda line: None) -> Listener:
        """Do it, `say` what becomes of each resource, and give back all its events."""
        listener = Listener(say)
        with self._explaining(listener):
            operation(listener)
        return listener

    def exists(self) -> bool:
        return self._output() is not None

    def outputs(self) -> Outputs | None:
        """The stack outputs; None for no stack, or one whose `up` never ended."""
        values = self._output()
        return Outputs.of(values) if values else None

    def create(self) -> None:
        """Make the stack if there is none, and take away the lock of a command that died."""
        self.unlock()
        if not self.exists():
            with self._explaining(Listener()):
                self.pulumi.workspace.create_stack(self.stack.name)

    def unprotect(self) -> None:
        workspace = self.pulumi.workspace
        command = ["state", "unprotect", "--all", "--yes", "--stack", self.stack.name]
        with self._explaining(Listener()):
            workspace.pulumi_command.run(command, workspace.work_dir, workspace.env_vars)

    def _output(self) -> Mapping[str, Any] | None:
        workspace = self.pulumi.workspace
        return output.read(self.stack, self.cli, workspace.env_vars, Path(workspace.work_dir))

    def unlock(self) -> None:
        """Locks name their holder: one of this machine that lives no more, or was killed while it wrote, holds none."""
        for path in (self.stack.home / ".pulumi" / "locks").rglob("*.json"):
            if _is_abandoned(path.read_bytes()):
                path.unlink(missing_ok=True)

    @contextmanager
    def _explaining(self, listener: Listener) -> Iterator[None]:
        try:
            yield
        except StackNotFoundError:
            raise LookupError(self.stack.name) from None
        except CommandError as error:
            if self.raised and not any(resource for resource, _ in listener.errors):
                raise program.explained(self.stack, self.raised[0]) from None
            where, secret = f"stack {self.stack.name}", str(backend.passphrase(self.stack))
            raise explained(where, listener.errors, str(error), secret) from None


@contextmanager
def opened(stack: Stack, cli: Cli, config: Mapping[str, str], url: str) -> Iterator[Session]:
    """url: of this machine's cloud; empty for a real account. Its stand-in is served as long as the session is open."""
    raised: list[Exception] = []
    environment = backend.for_a_command(stack, cli, on_this_machine=bool(url))
    server = None
    if url:
        server, port = serve(0, url, config["aws:region"])
        environment |= backend.attached(port, url)
    folder = _copied(stack) if url else stack.root
    workspace = _Workspace(
        work_dir=str(folder),
        program=_program(stack.root, raised),
        env_vars=environment,
        pulumi_command=_Command(cli),
    )
    try:
        with program.modules(stack.root), program.environment(STAYPUT_CLOUD_URL=url):
            yield Session(stack, cli, _Stack(stack.name, workspace, StackInitMode.SELECT), raised)
    finally:
        if server:
            server.stop(grace=10).wait()


def _copied(stack: Stack) -> Path:
    """A folder with the stack's settings, in which Pulumi may write its salt: the checkout's file stays as it is."""
    folder = stack.home / "workspace"
    project = {"name": stackfile.project_name(stack.root), "runtime": "python"}
    settings = stackfile.mapping(stack.settings)
    settings.pop("encryptionsalt", None)
    write_private(folder / "Pulumi.yaml", yaml.safe_dump(project).encode())
    write_private(folder / stack.settings.name, yaml.safe_dump(settings, sort_keys=False).encode())
    return folder


def _program(root: Path, raised: list[Exception]) -> Callable[[], None]:
    def run() -> None:
        try:
            execute(root)
        except Exception as error:
            raised.append(error)
            raise

    return run


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who holds a lock of Pulumi's, as it writes it."""

    hostname: str = ""
    pid: int = 0


def _is_abandoned(lock: bytes) -> bool:
    try:
        holder = msgspec.json.decode(lock, type=Holder)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return True
    return holder.hostname == socket.gethostname() and not _is_pulumi(holder.pid)


def _is_pulumi(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and "pulumi" in process.name()
    except psutil.Error:
        return False
