"""Pulumi's own engine, driven through its Automation API: the same stack as `pulumi up` in a shell."""

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from stayput.engine import Change, Cloud, Drift, Outputs, backend, output, program, stackfile
from stayput.engine.cli import Cli
from stayput.errors import StayputError, WrongUse
from stayput.kept import recall
from stayput.localcloud import server
from stayput.secrets import write_private
from stayput.stack import Stack

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from stayput.engine.events import Listener
    from stayput.engine.session import Session
    from stayput.engine.strays import Stray

Say = Callable[[str], None]
NOWHERE = "http://127.0.0.1:9"  # the discard port: the preview of a cloud that is not there asks it nothing


@dataclass(frozen=True)
class _Passing(Stack):
    """A stack of the same checkout that is kept elsewhere."""

    folder: Path = Path()

    @property
    def home(self) -> Path:
        return self.folder


@dataclass
class PulumiEngine:
    """Real accounts through the official plugin; this machine's cloud through the stand-in, served by this process."""

    stack: Stack
    cli: Cli
    _observed: Cloud | None = field(default=None, init=False)  # a command observes once; `up` brings it up to date

    def recall(self) -> Cloud:
        if self._observed is not None:
            return self._observed
        config = stackfile.config(self.stack, encrypted=True)
        url, lost = self._place(config)
        if lost:
            return self._cloud(config, None, "", reason=lost)
        backend.mend(self.stack)
        environment = backend.for_a_command(self.stack, self.cli, on_this_machine=bool(url))
        values = output.read(self.stack, self.cli, environment, self.stack.root)
        outputs = Outputs.of(values) if values else None
        return self._cloud(config, outputs, url, reason="" if outputs else "never provisioned")

    def observe(self) -> Cloud:
        if self._observed is None:
            self._observed = self._observe(self._config())
        return self._observed

    def preview(self) -> tuple[Change, ...]:
        cloud, config = self.observe(), self._config()
        if cloud.outputs or not _on_this_machine(config):
            return cloud.changes or self._losses(config, self._living_url(), cloud.outputs)
        if "stayput:import" in config:  # of a cloud that is not there, nothing can be taken over
            return self._losses(config, self._living_url(), None)
        with tempfile.TemporaryDirectory() as folder:  # a stack of a moment, in a cloud that is not there
            passing = _Passing(self.stack.root, self.stack.name, Path(folder))
            backend.prepare(passing)
            with self._session(config, NOWHERE, passing) as pulumi:
                pulumi.create()
                return tuple(pulumi.run(lambda listen: pulumi.pulumi.preview(on_event=listen)).changes)

    def drift(self) -> tuple[Drift, ...]:
        return self.observe().drift

    def up(self, say: Say) -> Cloud:
        config = self._config()
        backend.prepare(self.stack)
        made_of = program.ingredients(self.stack, config)
        url = self._start_cloud(config, say) if _on_this_machine(config) else ""
        interrupted = self._applied() == {}
        self._note({})
        with self._session(config, url) as pulumi:
            pulumi.create()
            if interrupted:
                from stayput.engine import leftovers

                leftovers.remove(pulumi.pulumi, url, config, say)
            events = pulumi.run(lambda listen: pulumi.pulumi.up(on_event=listen, refresh=True), say)
            outputs = pulumi.outputs()
        for stray in self._strays(events, url, config):
            stray.take_away()
            say(f"took away from {stray.drift.resource}: {stray.drift.what}")
        self._note(made_of)
        self._observed = self._cloud(config, outputs, url)
        return self._observed

    def check_destroy(self, *, with_objects: bool = False) -> None:
        config, url = self._config(), self._living_url()
        if with_objects or not _keeps_bucket(config) or (_on_this_machine(config) and not url):
            return
        from stayput.engine import account, contents

        with self._session(config, url) as pulumi:
            outputs = pulumi.outputs()
        if outputs:
            contents.check_empty(account.connect(url, config), outputs.bucket)

    def destroy(self, say: Say, *, with_objects: bool = False) -> None:
        self._observed = None
        config, url = self._config(), self._living_url()
        cloud = server.observe(self.stack.home)
        if url or not _on_this_machine(config):
            self._delete_resources(config, url, say, with_objects)
        if cloud:
            server.stop(self.stack.home)
            say(f"stopped {server.NAME}")
        self._forget()

    def _delete_resources(self, config: Mapping[str, str], url: str, say: Say, with_objects: bool) -> None:
        try:
            with self._session(config, url) as pulumi:
                pulumi.unlock()
                if not pulumi.exists():
                    return
                if _keeps_bucket(config):
                    self._delete_safe_bucket(pulumi, config, url, with_objects)
                pulumi.run(lambda listen: pulumi.pulumi.destroy(on_event=listen), say)
        except StayputError as problem:
            if not url or isinstance(problem, WrongUse):
                raise
            say(f"{problem.where}: {problem.what}")  # all of it is in the one process that ends

    def _delete_safe_bucket(self, pulumi: "Session", config: Mapping[str, str], url: str, with_objects: bool) -> None:
        """The bucket that Pulumi protects and keeps: first, so that a cut-off run begins with it."""
        from stayput.engine import account, contents

        if (outputs := pulumi.outputs()) is None:
            return
        contents.delete_bucket(account.connect(url, config), outputs.bucket, with_objects=with_objects)
        pulumi.unprotect()

    def _session(
        self, config: Mapping[str, str], url: str, stack: Stack | None = None
    ) -> "AbstractContextManager[Session]":
        from stayput.engine.session import opened  # it takes a second to import, which not every command needs

        backend.mend(stack or self.stack)
        return opened(stack or self.stack, self.cli, config, url)

    def _config(self) -> dict[str, str]:
        config = stackfile.config(self.stack, encrypted=True)
        program.check(self.stack, config)
        return config

    def _observe(self, config: Mapping[str, str]) -> Cloud:
        url, lost = self._place(config)
        if lost:
            return self._cloud(config, None, "", reason=lost)
        with self._session(config, url) as pulumi, ThreadPoolExecutor(1) as aside:
            outputs = aside.submit(pulumi.outputs)
            try:
                events = pulumi.run(lambda listen: pulumi.pulumi.preview(on_event=listen, refresh=True))
            except LookupError:
                return self._cloud(config, None, url, reason="never provisioned")
        strays = tuple(stray.drift for stray in self._strays(events, url, config))
        reason = self._why(events.changes, strays, config)
        changes = (*events.changes, *self._losses(config, url, outputs.result()))
        return self._cloud(config, outputs.result(), url, changes, (*events.drift, *strays), reason)

    def _losses(self, config: Mapping[str, str], url: str, outputs: Outputs | None) -> tuple[Change, ...]:
        """What a bucket loses that is not in the stack yet and is to be taken over."""
        if config.get("stayput:import") in (None, outputs and outputs.bucket) or (_on_this_machine(config) and not url):
            return ()
        from stayput.engine import account, takeover

        return takeover.losses(self.stack, config, account.connect(url, config), url)

    def _place(self, config: Mapping[str, str]) -> tuple[str, str]:
        """The address of this machine's cloud, empty for a real account; and why nothing can be there, or empty."""
        if not _on_this_machine(config):
            return "", ""
        cloud = server.observe(self.stack.home)
        if cloud is None or not (self.stack.home / ".pulumi").exists():
            return "", "never provisioned"
        return (cloud.url, "") if cloud.alive else ("", f"{server.NAME} died: everything in it is gone")

    def _why(self, changes: Sequence[Change], strays: Sequence[Drift], config: Mapping[str, str]) -> str:
        applied = self._applied()
        if applied == {}:
            return "the last run did not end"
        words = [f"{one.action} {one.type.rsplit(':', 1)[1]} {one.name}" for one in changes]
        if words := [*words, *(f"{one.resource} {one.what}" for one in strays)]:
            return ", ".join(words[:3]) + (f" and {len(words) - 3} more" if len(words) > 3 else "")
        return program.differences(applied, program.ingredients(self.stack, config)) if applied else ""

    def _strays(self, events: "Listener", url: str, config: Mapping[str, str]) -> "list[Stray]":
        from stayput.engine import account
        from stayput.engine.strays import find

        return find(account.connect(url, config), events.ids)

    def _cloud(
        self,
        config: Mapping[str, str],
        outputs: Outputs | None,
        url: str,
        changes: tuple[Change, ...] = (),
        drift: tuple[Drift, ...] = (),
        reason: str = "",
    ) -> Cloud:
        return Cloud(
            engine=f"pulumi {self.cli.version}",
            outputs=outputs,
            endpoint_url=url,
            signed_addresses=config.get("stayput:mode") == "private",
            changes=changes,
            drift=drift,
            reason=reason,
        )

    def _living_url(self) -> str:
        """Of this machine's cloud; empty where it does not run."""
        cloud = server.observe(self.stack.home)
        return cloud.url if cloud and cloud.alive else ""

    def _start_cloud(self, config: Mapping[str, str], say: Say) -> str:
        known = server.observe(self.stack.home)
        daemon = server.start(self.stack.home)
        if daemon != known:
            say(f"started {server.NAME} at {daemon.url}")
        return daemon.url

    def _applied(self) -> dict[str, str] | None:
        """What the last `up` that ended was made of; {} while one is under way, None if this machine knows of none."""
        return recall(self.stack.home / "applied.json", dict[str, str])

    def _note(self, ingredients: Mapping[str, str]) -> None:
        write_private(self.stack.home / "applied.json", msgspec.json.encode(ingredients))

    def _forget(self) -> None:
        for name in (".pulumi", "workspace"):
            shutil.rmtree(self.stack.home / name, ignore_errors=True)
        for name in ("passphrase", "applied.json"):
            (self.stack.home / name).unlink(missing_ok=True)


def _on_this_machine(config: Mapping[str, str]) -> bool:
    return config.get("stayput:cloud") == "this-machine"


def _keeps_bucket(config: Mapping[str, str]) -> bool:
    """Whether Pulumi protects and keeps the bucket."""
    return not _on_this_machine(config) or "stayput:import" in config
