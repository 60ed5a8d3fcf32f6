"""The tasks of `invoke` and of the `stayput` command. Each is a few lines that call one function.

A project's tasks.py is `from stayput.tasks import namespace`, and tasks of its own if it has any.
"""

import inspect
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task

if TYPE_CHECKING:
    from stayput.report import Report
    from stayput.workspace import Workspace

PROJECT_FILE = "stayput.toml"
# The options that many tasks take: their default and their help.
SHARED: dict[str, tuple[object, str]] = {
    "target": (None, "where releases run: process (this machine); stayput.toml says more"),
    "stack": (None, "the Pulumi stack (local: this machine's cloud)"),
    "set": (None, "KEY=VALUE of stayput.toml for this run; may be given again"),
    "json": (False, "one JSON document on stdout, everything else on stderr"),
}
YES = "do not ask"
WITHOUT_KEEPSAKE = "the last release's keepsake is gone for good; why, for the ledger"
EVERYWHERE = ("target", "stack", "set", "json")


@dataclass(frozen=True)
class Given:
    """What the options say of the project: its folder, and where a task works."""

    root: Path
    target: str | None = None
    stack: str | None = None
    overrides: tuple[str, ...] = ()

    @cached_property
    def workspace(self) -> "Workspace":
        """Raises WrongUse."""
        from stayput.workspace import open_workspace

        return open_workspace(self.root, self.target, self.stack, self.overrides)


def command(*shared: str, **own: str) -> "Callable[[Callable[..., None]], Task[Any]]":
    """Make a task of a function of (given, report, and its own options).

    shared: the names of the options of SHARED that it takes. own: its own options, with their help; one of type
    `str | bool` may stand alone, and is True then.
    """

    def make(body: Callable[..., None]) -> "Task[Any]":
        def run(context: Context, **options: Any) -> None:
            from stayput.environment import check
            from stayput.report import reporting

            as_json = options.pop("json", False)
            overrides = tuple(options.pop("set", None) or ())
            target, stack = options.pop("target", None), options.pop("stack", None)
            with reporting(as_json) as report:
                check(os.environ)
                body(Given(project_root(context), target, stack, overrides), report, **options)

        parameter = partial(inspect.Parameter, kind=inspect.Parameter.POSITIONAL_OR_KEYWORD)
        taken = [parameter(name, default=SHARED[name][0]) for name in shared]
        own_ones = list(inspect.signature(body).parameters.values())[2:]
        run.__signature__ = inspect.Signature([parameter("context"), *taken, *own_ones])  # type: ignore[attr-defined]
        run.__name__, run.__doc__ = body.__name__, body.__doc__
        texts = {name: SHARED[name][1] for name in shared} | own
        bare = [one.name for one in own_ones if one.annotation == (str | bool)]
        return Task(run, iterable=["set"] if "set" in shared else [], optional=bare, help=texts)

    return make


def reason(given: str | bool) -> str:
    """What was said after an option that may stand alone; empty where it was not given."""
    return "no reason given" if given is True else str(given or "")


def project_root(context: Context) -> Path:
    """The folder of the tasks.py that was loaded, or the nearest one above that has a stayput.toml."""
    loaded = getattr(context.config, "_project_prefix", None)
    if loaded:
        return Path(loaded).resolve()
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / PROJECT_FILE).is_file()), here)


@command("json", keep="leave it running; ./invoke destroy removes it")
def demo(given: Given, report: "Report", keep: bool = False) -> None:
    """Show the problem and the cure: a photo that is lost with the disk, then one that stays put."""
    from stayput.demo import demo as run

    run(given.root, report, keep=keep)


@command(*EVERYWHERE, exit_code="exit with 4 when there is something to do")
def plan(given: Given, report: "Report", exit_code: bool = False) -> None:
    """Say what deploy would do, and why; change nothing."""
    from stayput.deploy import plan as show

    show(given.workspace, report, exit_code=exit_code)


@command(
    *EVERYWHERE, fresh="where the target builds the repository: without its cache", without_keepsake=WITHOUT_KEEPSAKE
)
def deploy(given: Given, report: "Report", fresh: bool = False, without_keepsake: str | bool = "") -> None:
    """Put this tree on the target and prove that uploads work there."""
    from stayput.deploy import deploy as put

    anew = (f"targets.{given.target or 'process'}.fresh=true",) if fresh else ()
    workspace = replace(given, overrides=given.overrides + anew).workspace
    put(workspace, report, without_keepsake=reason(without_keepsake))


@command(*EVERYWHERE)
def smoke_test(given: Given, report: "Report") -> None:
    """Send a real photo through the live site and read the objects back."""
    from stayput.deploy import smoke_test as prove

    prove(given.workspace, report)


@command(*EVERYWHERE)
def status(given: Given, report: "Report") -> None:
    """Say what is live, and what could be rolled back to."""
    from stayput.status import status as show

    show(given.workspace, report)


@command(*EVERYWHERE, to="the release or build to go back to (the one before)", without_keepsake=WITHOUT_KEEPSAKE)
def rollback(given: Given, report: "Report", to: str | None = None, without_keepsake: str | bool = "") -> None:
    """Put an earlier proven build back."""
    from stayput.deploy import rollback as go_back

    go_back(given.workspace, report, to, without_keepsake=reason(without_keepsake))


@command(*EVERYWHERE, grace="seconds that the old key works on for what it signed (0)")
def rotate_keys(given: Given, report: "Report", grace: str = "0") -> None:
    """Give the live release a new access key, prove it, then take the old one away."""
    from stayput.rotate import rotate_keys as rotate
    from stayput.rotate import seconds

    rotate(given.workspace, report, grace=seconds(grace))


@command("target", "stack", "set", follow="go on as lines are written", since="10m, 2h, 1d or an ISO time")
def logs(given: Given, report: "Report", follow: bool = False, since: str = "") -> None:
    """Show what the live release writes, without its secrets."""
    from stayput.logs import show

    show(given.workspace, report, follow=follow, since=since)


@command(*EVERYWHERE)
def diagnose(given: Given, report: "Report") -> None:
    """Ask the live release what works in it: configuration, storage, pictures, an upload."""
    from stayput.diagnosis import diagnose as ask

    ask(given.workspace.target, report)


@command(*EVERYWHERE)
def doctor(given: Given, report: "Report") -> None:
    """Look at everything outside that a deploy needs, and say what to do about what is missing."""
    from stayput.doctor import doctor as look

    look(given.workspace, report)


@command(*EVERYWHERE)
def drift(given: Given, report: "Report") -> None:
    """Report what differs between program, state, cloud and, with --target, the target; change nothing.

    Exit code 4 when there is a difference.
    """
    from stayput.drift import drift as look

    look(given.workspace, report, target=given.target is not None)


@command(*EVERYWHERE, yes=YES, with_objects="also a bucket of an account with its objects")
def destroy(given: Given, report: "Report", yes: bool = False, with_objects: bool = False) -> None:
    """Take away the releases and the stack, with all that is stored in them."""
    from stayput.deploy import destroy as take_away

    report.confirm("Everything of this stack is removed, uploads too.", yes)
    take_away(given.workspace, report, with_objects=with_objects)


@command("stack", "set", "json", fresh="without any cache, the base pulled anew")
def build(given: Given, report: "Report", fresh: bool = False) -> None:
    """Build the image of this tree, and say what of it was rebuilt and why."""
    from stayput.image.commands import build as make

    make(given.root, given.stack, report, given.overrides, fresh=fresh)


@command("stack", "set", "json", image="a reference or digest; this tree's otherwise")
def attest(given: Given, report: "Report", image: str = "") -> None:
    """Open an image, without network, and say whether it holds what the lock says and comes up."""
    from stayput.image.commands import attest as look

    look(given.root, given.stack, report, image, given.overrides)


@command("json")
def engine_install(_: Given, report: "Report") -> None:
    """Bring Pulumi's own engine: the one on PATH, the official install, or built from source."""
    from stayput.engine.show import install

    install(report)


@command("stack", "json")
def engine_status(given: Given, report: "Report") -> None:
    """Say which engine runs the stack, and why."""
    from stayput.engine.show import status as show

    show(given.root, given.stack, report)


@command("stack", "json")
def engine_env(given: Given, report: "Report") -> None:
    """Print lines for eval, after which `pulumi up` and the like work on the stack."""
    from stayput.engine.show import env

    env(given.root, given.stack, report)


namespace = Collection(
    demo,
    plan,
    build,
    attest,
    deploy,
    smoke_test,
    status,
    rollback,
    rotate_keys,
    logs,
    diagnose,
    doctor,
    destroy,
    drift,
)
namespace.add_collection(Collection("engine", install=engine_install, status=engine_status, env=engine_env))
