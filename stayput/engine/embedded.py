"""The engine for a machine without Pulumi's: runs infra/ in this process, against this machine's cloud only."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from msgspec.structs import replace

from stayput.engine import Change, Cloud, Drift, Outputs, program, stackfile, state
from stayput.engine.state import State
from stayput.engine.words import drifted, kind, shown
from stayput.errors import StayputError, WrongUse
from stayput.localcloud import server
from stayput.stack import Stack

if TYPE_CHECKING:
    from stayput.engine.reconcile import Reconciler
    from stayput.engine.strays import Stray

Say = Callable[[str], None]


@dataclass(frozen=True)
class EmbeddedEngine:
    """Create-or-update and destroy. It knows that something is to do, and not which resources it would touch."""

    stack: Stack

    def recall(self) -> Cloud:
        config = stackfile.config(self.stack)
        self._refuse_real_accounts(config)
        known, lost = self._known()
        return _cloud(config, known, lost)

    def observe(self) -> Cloud:
        config = self._config()
        known, lost = self._known()
        if known is None:
            return _cloud(config, None, lost)
        if not known.ingredients:
            return _cloud(config, known, "the last run did not end")
        return _cloud(config, known, program.differences(known.ingredients, program.ingredients(self.stack, config)))

    def _known(self) -> tuple[State | None, str]:
        """What is known of a living cloud; or why nothing can be there."""
        known = state.load(self.stack.home)
        if known is None:
            return None, "never provisioned"
        return (known, "") if known.cloud.alive else (None, f"{server.NAME} died: everything in it is gone")

    def preview(self) -> tuple[Change, ...]:
        return ()

    def drift(self) -> tuple[Drift, ...]:
        known = state.load(self.stack.home)
        if known is None or not known.cloud.alive:
            return ()
        from stayput.localcloud.table import connect, table

        resources = table(connect(known.cloud.url, known.region))
        found: list[Drift] = []
        for one in known.resources:
            found += drifted(shown(one.urn), one.outputs, resources[one.type].read(one.id, one.outputs))
        return (*found, *(stray.drift for stray in _strays(known)))

    def up(self, say: Say) -> Cloud:
        config = self._config()
        made_of = program.ingredients(self.stack, config)
        with ThreadPoolExecutor(1) as aside:  # Pulumi takes a second to import: meanwhile the cloud comes up
            aside.submit(import_module, "stayput.engine.inprocess")
            begun = self._begin(config["aws:region"], say)
        done = self._run(config, begun, say)
        for stray in _strays(done):
            stray.take_away()
            say(f"took away from {stray.drift.resource}: {stray.drift.what}")
        done = replace(done, ingredients=made_of)
        state.save(self.stack.home, done)
        return _cloud(config, done, "")

    def check_destroy(self, *, with_objects: bool = False) -> None:
        if server.observe(self.stack.home) is None and not state.path(self.stack.home).exists():
            self._refuse_real_accounts(stackfile.config(self.stack))

    def destroy(self, say: Say, *, with_objects: bool = False) -> None:
        """Also of a state that cannot be read: everything is in the one process that ends."""
        self.check_destroy()
        cloud = server.observe(self.stack.home)
        try:
            known = state.load(self.stack.home)
        except StayputError:
            known = None
        if known and known.cloud.alive:
            self._reconciler(known, say).prune()
        if cloud:
            server.stop(self.stack.home)
            say(f"stopped {server.NAME}")
        state.path(self.stack.home).unlink(missing_ok=True)

    def _config(self) -> dict[str, str]:
        """The stack's config, valid, and of this machine's cloud. Raises WrongUse."""
        config = stackfile.config(self.stack)
        self._refuse_real_accounts(config)
        program.check(self.stack, config)
        if "stayput:import" in config:
            raise WrongUse(
                f"{self.stack.settings.name}, stayput:import",
                "only Pulumi's own engine takes over a bucket that is there already",
                "install it (invoke engine.install), or remove the line",
            )
        return config

    def _refuse_real_accounts(self, config: Mapping[str, str]) -> None:
        if config.get("stayput:cloud") != "this-machine":
            raise WrongUse(
                f"stack {self.stack.name}",
                "is not of this machine's cloud, and only Pulumi's own engine may touch a real account",
                "install it (invoke engine.install), or use --stack local",
            )

    def _begin(self, region: str, say: Say) -> State:
        """What is known of a living cloud, marked as being worked on; a new cloud if there is none."""
        known = state.load(self.stack.home)
        if known is None or not known.cloud.alive:
            server.stop(self.stack.home)  # one that no state speaks of
            known = State(cloud=server.start(self.stack.home), region=region)
            say(f"started {server.NAME} at {known.cloud.url}")
        if known.region != region:
            raise WrongUse(
                f"{self.stack.settings.name}, aws:region",
                f"is {region}, but the bucket is in {known.region} and cannot move",
                "set it back, or begin anew: invoke destroy",
            )
        known = replace(known, ingredients={})
        state.save(self.stack.home, known)
        return known

    def _run(self, config: Mapping[str, str], known: State, say: Say) -> State:
        """The state after the program ran and what it no longer names is gone."""
        from stayput.engine.inprocess import run_program

        reconciler = self._reconciler(known, say)
        with program.modules(self.stack.root), program.environment(STAYPUT_CLOUD_URL=known.cloud.url):
            try:
                project = stackfile.project_name(self.stack.root)
                outputs = run_program(self.stack.root, project, self.stack.name, config, reconciler.register)
            except StayputError:
                raise
            except Exception as error:
                raise program.explained(self.stack, error) from None
        reconciler.prune()
        return replace(reconciler.state, outputs=outputs)

    def _reconciler(self, known: State, say: Say) -> "Reconciler":
        from stayput.engine.reconcile import Reconciler
        from stayput.localcloud.table import connect, table

        resources = table(connect(known.cloud.url, known.region))
        return Reconciler(resources, known, partial(state.save, self.stack.home), say)


def _strays(known: State) -> "list[Stray]":
    """What others gave the uploader besides."""
    from stayput.engine.strays import find
    from stayput.localcloud.table import connect

    ids: defaultdict[str, set[str]] = defaultdict(set)
    for one in known.resources:
        ids[kind(one.urn)].add(one.id)
    return find(connect(known.cloud.url, known.region), ids)


def _cloud(config: Mapping[str, str], known: State | None, reason: str) -> Cloud:
    return Cloud(
        engine="embedded",
        outputs=Outputs.of(known.outputs) if known and known.outputs else None,
        endpoint_url=known.cloud.url if known else "",
        signed_addresses=config.get("stayput:mode") == "private",
        reason=reason,
    )
