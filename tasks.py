"""The tasks of this project: Stayput's, and two for those who work on it. `./invoke --list` shows them all."""

from importlib import import_module
from pathlib import Path

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task  # pyright: ignore[reportUnknownVariableType]

from stayput import tasks

ROOT = Path(__file__).resolve().parent
SUBJECTS = ("journeys", "images", "uploads", "docker", "engine", "calls", "faults")


@task(help={"kind": "unit, contract, integration or browser; all of them otherwise"})
def test(_: Context, kind: str = "") -> None:
    """Run format, lint, types, imports and tests; what cannot run on this machine is named with its reason."""
    from stayput.development import check_everything

    raise SystemExit(check_everything(ROOT, kind))


@task(
    help={
        "subject": f"{', '.join(SUBJECTS[1:])}; otherwise what people wait for",
        "faults": "every fault on every call of each provider, into docs/faults.md",
    }
)
def bench(_: Context, subject: str = SUBJECTS[0], faults: bool = False) -> None:
    """Measure what a newcomer and every day's work wait for, or one subject, for docs/benchmarks.md."""
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


namespace = Collection.from_module(tasks)
for own in (test, bench):
    namespace.add_task(own)  # pyright: ignore[reportArgumentType]  # Invoke's decorator is untyped
