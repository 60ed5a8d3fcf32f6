"""The tasks of `invoke engine`: what they say."""

from pathlib import Path

from stayput.engine import choice, cli, shell
from stayput.report import Report
from stayput.stack import stack_named


def install(report: Report) -> None:
    """Bring Pulumi's engine if there is none. Raises StayputError."""
    found = cli.install(report.say)
    report.document |= {"version": found.version, "path": str(found.path), "source": found.source}
    report.say(f"pulumi {found.version}: {found.path}, {found.source}")


def status(root: Path, stack: str | None, report: Report) -> None:
    """Which engine runs the stack, and why."""
    engine, why = choice.explained(stack_named(root, stack))
    report.document |= {"engine": engine, "why": why}
    report.say(f"{engine}: {why}")


def env(root: Path, stack: str | None, report: Report) -> None:
    """Lines for `eval`. Raises WrongUse."""
    variables = shell.environment(stack_named(root, stack))
    report.document["environment"] = variables
    for line in shell.lines(variables):
        report.say(line)
