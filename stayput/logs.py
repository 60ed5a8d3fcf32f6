"""What the live release writes, as it may be shown: no secret, and only from a moment on. Pure but for the clock."""

import re
from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from stayput.errors import WrongUse
from stayput.report import Report
from stayput.secrets import Secret
from stayput.workspace import Workspace

HIDDEN = "****"
SHORTEST = 6  # characters: a shorter secret would blot out ordinary words
PATTERNS = (
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user and password in an address
    re.compile(r"(?i)(?<=bearer )[\w.~+/=:-]+"),
    re.compile(r"(?<=X-Amz-Signature=)[0-9a-f]+"),
    re.compile(r"(?<=X-Amz-Credential=)[^&\s\"]+"),
)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
TIME = re.compile(r'"time": ?"([^"]+)"|^\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4})\]')


def show(workspace: Workspace, report: Report, *, follow: bool = False, since: str = "") -> None:
    """Show the live release's log; with `follow` until interrupted. Raises WrongUse for a `since` that is no time."""
    begin = moment(since, datetime.now(UTC)) if since else None
    cloud = workspace.provisioned()
    secrets = [workspace.secrets.secret_key, workspace.secrets.stayput_key]
    if cloud and cloud.outputs:
        secrets.append(cloud.outputs.secret_access_key)
    for line in shown(workspace.target.logs(follow=follow), secrets, begin):
        report.say(line)


def shown(lines: Iterable[str], secrets: Collection[Secret], since: datetime | None = None) -> Iterator[str]:
    """The lines from `since` on, each without secrets. A line that bears no time is as old as the one before it."""
    recent = since is None
    for line in lines:
        if since is not None and (at := time_of(line)) is not None:
            recent = at >= since
        if recent:
            yield redacted(line, secrets)


def redacted(line: str, secrets: Collection[Secret]) -> str:
    """The line with every secret, and whatever looks like one, replaced."""
    for secret in sorted(secrets, key=lambda one: -len(one.value)):  # one may hold another
        if len(secret.value) >= SHORTEST:
            line = line.replace(secret.value, HIDDEN)
    for pattern in PATTERNS:
        line = pattern.sub(HIDDEN, line)
    return line


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
    if span := re.fullmatch(r"(\d+)([smhd])", text.strip()):
        return now - timedelta(**{UNITS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise WrongUse(f"--since {text}", "is no time", "write it like 10m, 2h, 1d or 2026-01-31T12:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
