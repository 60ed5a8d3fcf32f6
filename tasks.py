"""The tasks of ./invoke. Each is a few lines that call one function; `./invoke --list` says them all."""

from pathlib import Path
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task  # pyright: ignore[reportUnknownVariableType]

if TYPE_CHECKING:
    from stayput.workspace import Workspace

ROOT = Path(__file__).resolve().parent
HELP = {
    "target": "where releases run: process (this machine); stayput.toml says more",
    "stack": "the Pulumi stack (local: this machine's cloud)",
    "json": "one JSON document on stdout, everything else on stderr",
    "set": "KEY=VALUE of stayput.toml for this run; may be given again",
    "yes": "do not ask",
}


def help_for(*names: str, **more: str) -> dict[str, str]:
    return {name: HELP[name] for name in names} | more


def workspace(target: str | None, stack: str | None, overrides: list[str]) -> "Workspace":
    from stayput.workspace import open_workspace

    return open_workspace(ROOT, target, stack, overrides)


@task(help=help_for("json", keep="leave it running; ./invoke destroy removes it"))
def demo(_: Context, keep: bool = False, json: bool = False) -> None:
    """Show the problem and the cure: a photo that is lost with the disk, then one that stays put."""
    from stayput.demo import demo as run
    from stayput.report import reporting

    with reporting(json) as report:
        run(ROOT, report, keep=keep)


@task(
    iterable=["set"],
    help=help_for("target", "stack", "set", "json", exit_code="exit with 4 when there is something to do"),
)
def plan(
    _: Context,
    target: str | None = None,
    stack: str | None = None,
    set: list[str] | None = None,
    json: bool = False,
    exit_code: bool = False,
) -> None:
    """Say what deploy would do, and why; change nothing."""
    from stayput import deploy as road
    from stayput.report import reporting

    with reporting(json) as report:
        road.plan(workspace(target, stack, set or []), report, exit_code=exit_code)


@task(
    iterable=["set"],
    help=help_for("target", "stack", "set", "json", fresh="where the target builds the repository: without its cache"),
)
def deploy(
    _: Context,
    target: str | None = None,
    stack: str | None = None,
    set: list[str] | None = None,
    fresh: bool = False,
    json: bool = False,
) -> None:
    """Put this tree on the target and prove that uploads work there."""
    from stayput import deploy as road
    from stayput.report import reporting

    with reporting(json) as report:
        anew = [f"targets.{target or 'process'}.fresh=true"] if fresh else []
        road.deploy(workspace(target, stack, [*(set or []), *anew]), report)


@task(iterable=["set"], help=help_for("target", "stack", "set", "json"))
def smoke_test(
    _: Context, target: str | None = None, stack: str | None = None, set: list[str] | None = None, json: bool = False
) -> None:
    """Send a real photo through the live site and read the objects back."""
    from stayput import deploy as road
    from stayput.report import reporting

    with reporting(json) as report:
        road.smoke_test(workspace(target, stack, set or []), report)


@task(iterable=["set"], help=help_for("target", "stack", "set", "json"))
def status(
    _: Context, target: str | None = None, stack: str | None = None, set: list[str] | None = None, json: bool = False
) -> None:
    """Say what is live, and what could be rolled back to."""
    from stayput import deploy as road
    from stayput.report import reporting

    with reporting(json) as report:
        road.status(workspace(target, stack, set or []), report)


@task(
    iterable=["set"],
    help=help_for("target", "stack", "set", "json", to="the release or build to go back to (the one before)"),
)
def rollback(
    _: Context,
    target: str | None = None,
    stack: str | None = None,
    to: str | None = None,
    set: list[str] | None = None,
    json: bool = False,
) -> None:
    """Put an earlier proven build back."""
    from stayput import deploy as road
    from stayput.report import reporting

    with reporting(json) as report:
        road.rollback(workspace(target, stack, set or []), report, to)


@task(
    iterable=["set"],
    help=help_for("target", "stack", "set", "json", grace="seconds that the old key works on for what it signed (0)"),
)
def rotate_keys(
    _: Context,
    target: str | None = None,
    stack: str | None = None,
    grace: int = 0,
    set: list[str] | None = None,
    json: bool = False,
) -> None:
    """Give the live release a new access key, prove it, then take the old one away."""
    from stayput import rotate
    from stayput.report import reporting

    with reporting(json) as report:
        rotate.rotate_keys(workspace(target, stack, set or []), report, grace=grace)


@task(
    iterable=["set"],
    help=help_for("target", "stack", "set", follow="go on as lines are written", since="10m, 2h, 1d or an ISO time"),
)
def logs(
    _: Context,
    target: str | None = None,
    stack: str | None = None,
    set: list[str] | None = None,
    follow: bool = False,
    since: str = "",
) -> None:
    """Show what the live release writes, without its secrets."""
    from stayput.logs import show
    from stayput.report import reporting

    with reporting(False) as report:
        show(workspace(target, stack, set or []), report, follow=follow, since=since)


@task(iterable=["set"], help=help_for("target", "stack", "set", "json"))
def diagnose(
    _: Context, target: str | None = None, stack: str | None = None, set: list[str] | None = None, json: bool = False
) -> None:
    """Ask the live release what works in it: configuration, storage, pictures, an upload."""
    from stayput.diagnosis import diagnose as ask
    from stayput.report import reporting

    with reporting(json) as report:
        ask(workspace(target, stack, set or []).target, report)


@task(iterable=["set"], help=help_for("target", "stack", "set", "json"))
def doctor(
    _: Context, target: str | None = None, stack: str | None = None, set: list[str] | None = None, json: bool = False
) -> None:
    """Look at everything outside that a deploy needs, and say what to do about what lacks."""
    from stayput.doctor import doctor as look
    from stayput.report import reporting

    with reporting(json) as report:
        look(workspace(target, stack, set or []), report)


@task(
    iterable=["set"], help=help_for("stack", "set", "json", target="also look at what this target has of its release")
)
def drift(
    _: Context, target: str | None = None, stack: str | None = None, set: list[str] | None = None, json: bool = False
) -> None:
    """Say what differs between program, state and cloud; change nothing. Exit code 4 when there is something."""
    from stayput.drift import drift as look
    from stayput.report import reporting

    with reporting(json) as report:
        look(workspace(target, stack, set or []), report, target=target is not None)


@task(help=help_for("json"))
def engine_install(_: Context, json: bool = False) -> None:
    """Bring Pulumi's own engine: the one on PATH, the official install, or built from source."""
    from stayput.engine import tell
    from stayput.report import reporting

    with reporting(json) as report:
        tell.install(report)


@task(help=help_for("stack", "json"))
def engine_status(_: Context, stack: str | None = None, json: bool = False) -> None:
    """Say which engine runs the stack, and why."""
    from stayput.engine import tell
    from stayput.report import reporting

    with reporting(json) as report:
        tell.status(ROOT, stack, report)


@task(help=help_for("stack", "json"))
def engine_env(_: Context, stack: str | None = None, json: bool = False) -> None:
    """Print lines for eval, after which `pulumi up` and the like work on the stack."""
    from stayput.engine import tell
    from stayput.report import reporting

    with reporting(json) as report:
        tell.env(ROOT, stack, report)


@task(
    iterable=["set"],
    help=help_for("target", "stack", "set", "json", "yes", with_objects="also a bucket of an account with its objects"),
)
def destroy(
    _: Context,
    target: str | None = None,
    stack: str | None = None,
    set: list[str] | None = None,
    yes: bool = False,
    with_objects: bool = False,
    json: bool = False,
) -> None:
    """Take away the releases and the stack, with all that is stored in them."""
    from stayput import deploy as road
    from stayput.report import reporting

    with reporting(json) as report:
        report.confirm("Everything of this stack is removed, uploads too.", yes)
        road.destroy(workspace(target, stack, set or []), report, with_objects=with_objects)


@task(iterable=["set"], help=help_for("stack", "set", "json", fresh="without any cache, the base pulled anew"))
def build(
    _: Context, stack: str | None = None, set: list[str] | None = None, fresh: bool = False, json: bool = False
) -> None:
    """Build the image of this tree, and say what of it was rebuilt and why."""
    from stayput.image import commands
    from stayput.report import reporting

    with reporting(json) as report:
        commands.build(ROOT, stack, report, set or [], fresh=fresh)


@task(iterable=["set"], help=help_for("stack", "set", "json", image="a reference or digest; this tree's otherwise"))
def attest(
    _: Context, image: str = "", stack: str | None = None, set: list[str] | None = None, json: bool = False
) -> None:
    """Open an image, without network, and say whether it holds what the lock says and comes up."""
    from stayput.image import commands
    from stayput.report import reporting

    with reporting(json) as report:
        commands.attest(ROOT, stack, report, image, set or [])


@task(help={"kind": "unit, contract, integration or browser; all of them otherwise"})
def test(_: Context, kind: str = "") -> None:
    """Run format, lint, types, imports and tests; what cannot run on this machine is named with its reason."""
    from stayput.development import check_everything

    raise SystemExit(check_everything(ROOT, kind))


SUBJECTS = ("journeys", "images", "uploads", "docker", "engine", "calls", "faults")


@task(
    help={
        "subject": f"{', '.join(SUBJECTS[1:])}; otherwise what people wait for",
        "faults": "every fault on every call of each provider, into docs/faults.md",
    }
)
def bench(_: Context, subject: str = SUBJECTS[0], faults: bool = False) -> None:
    """Measure what a newcomer and every day's work wait for, or one subject, for docs/benchmarks.md."""
    from importlib import import_module

    from stayput.errors import WrongUse
    from stayput.report import reporting

    with reporting(False) as report:
        subject = "faults" if faults else subject
        if subject not in SUBJECTS:
            raise WrongUse("--subject", f"there is no bench of {subject!r}", f"choose one of {', '.join(SUBJECTS)}")
        module = import_module(f"bench.{subject}")
        if hasattr(module, "run"):
            report.say(module.run(ROOT))
            return
        rows = [(figure.what, figure.goal, f"{figure.seconds:.2f}", figure.note) for figure in module.measure(ROOT)]
        report.table(f"{subject.capitalize()}, seconds", ("what", "goal", "seconds", ""), rows)


namespace = Collection(
    demo,
    test,
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
    bench,
    drift,
)
namespace.add_collection(Collection("engine", install=engine_install, status=engine_status, env=engine_env))
