"""`invoke status`: what the site itself reports, beside what the ledger has. Reads only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from stayput.ledger import Live
from stayput.report import Report
from stayput.targets import Observed
from stayput.workspace import Workspace

SHOWN = 5  # releases in the table


@dataclass(frozen=True, kw_only=True)
class Status:
    """What is there, held against what was recorded. `sentence` is one line for people."""

    sentence: str
    proven: bool  # the ledger's last release, and its build
    other_build: bool  # of a recorded release


def status(workspace: Workspace, report: Report) -> None:
    """Show what is live and since when. The exit code is 1 where it is not healthy or not the build that was proven."""
    name, observed = workspace.target.name, workspace.target.observe()
    proven, times = once(workspace.ledger.live(name)), workspace.ledger.times(name)
    found = compare(observed, proven, times)
    last = proven[-1] if proven else None
    report.document |= {
        "ok": observed.healthy and not found.other_build,
        "target": name,
        "url": observed.url,
        "release": observed.release,
        "build": observed.build,
        "healthy": observed.healthy,
        "proven": found.proven,
        "said": observed.said,
        "recorded": _entry(last, times) if last else None,
        "releases": [_entry(one, times) for one in proven],
    }
    rows = [
        (one.release, one.build, _time(times[one.release]), "live" if one.release == observed.release else "")
        for one in proven[-SHOWN:]
    ]
    report.table(f"{name}: {observed.url}", ("release", "build", "proven", ""), rows)
    report.say(found.sentence)


def once(proven: Sequence[Live]) -> tuple[Live, ...]:
    """Each release once, as it was recorded last; oldest first."""
    latest: dict[str, Live] = {}
    for one in proven:
        latest.pop(one.release, None)  # it moves to the end
        latest[one.release] = one
    return tuple(latest.values())


def compare(observed: Observed, proven: Sequence[Live], times: Mapping[str, str]) -> Status:
    """proven: each release once, oldest first. times: when each was recorded. Pure."""
    last = proven[-1] if proven else None
    same = next((one for one in proven if one.release == observed.release), None)
    other_build = bool(same and observed.build and observed.build != same.build)
    sentence = observed.said
    if not sentence and other_build and same:
        sentence = (
            f"release {observed.release} is live, but the site reports build {observed.build}, not {same.build}, "
            f"which was proven {_time(times[same.release])}. Next: invoke deploy"
        )
    if not sentence:
        sentence = f"release {observed.release or 'unknown'}, build {observed.build or 'unknown'}, is live and healthy"
        sentence += f", proven {_time(times[same.release])}" if same else ", and was not proven from here"
        if last and last is not same:
            sentence += f"; the last that was proven is release {last.release}, build {last.build}"
            sentence += f", {_time(times[last.release])}"
    return Status(
        sentence=sentence, proven=same is not None and same is last and not other_build, other_build=other_build
    )


def _entry(one: Live, times: Mapping[str, str]) -> dict[str, str]:
    return {"release": one.release, "build": one.build, "at": times[one.release], "image": one.image}


def _time(at: str) -> str:
    """An ISO time of the ledger, to the minute."""
    return f"{datetime.fromisoformat(at):%Y-%m-%d %H:%M} UTC"
