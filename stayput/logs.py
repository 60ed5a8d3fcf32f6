"""What the live release writes, as it may be shown: no secret, and only from a moment on. Pure but for the clock."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from stayput.errors import WrongUse
from stayput.redact import learn_named, redact_lines
from stayput.report import Report
from stayput.workspace import Workspace

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TIME = re.compile(r'"time": ?"([^"]+)"|^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})\]')


def show(workspace: Workspace, report: Report, *, follow: bool = False, since: str = "") -> None:
    """Show the live release's log; with `follow` until interrupted. Raises WrongUse for a `since` that is no time."""
    begin = moment(since, datetime.now(UTC)) if since else None
    _ = workspace.provisioned(), workspace.theirs, workspace.database  # reading them, the redactor learns their secrets
    for name, value in workspace.project.variables.items():
        learn_named(name, value)
    for line in shown(workspace.target.logs(follow=follow), begin):
        report.say(line)


def shown(lines: Iterable[str], since: datetime | None = None) -> Iterator[str]:
    """The lines from `since` on, each without secrets. A line that bears no time is as old as the one before it."""
    recent = since is None
    for line in redact_lines(lines):
        if since is not None and (at := time_of(line)) is not None:
            recent = at >= since
        if recent:
            yield line


def time_of(line: str) -> datetime | None:
    """When a line was written: the time of an event of the site, or of a line of gunicorn's own."""
    found = TIME.search(line)
    if found is None:
        return None
    try:
        return datetime.fromisoformat(found[1]) if found[1] else datetime.strptime(found[2], "%Y-%m-%d %H:%M:%S %z")
    except ValueError:
        return None


def moment(text: str, now: datetime) -> datetime:
    """The time that --since means: "90s", "10m", "2h", "1d" before now, or a time of ISO 8601. Raises WrongUse."""
    if span := re.fullmatch(r"([0-9]+)([smhd])", text.strip()):
        try:
            return now - timedelta(**{UNITS[span[2]]: int(span[1])})
        except (OverflowError, ValueError):  # before all logs
            return datetime.min.replace(tzinfo=UTC)
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongUse(f"--since {text}", "is no time", "write it like 10m, 2h, 1d or 2026-01-31T12:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
