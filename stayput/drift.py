"""What differs between program, state and cloud, or between a release and what its target has of it. Reads only."""

import dataclasses

from stayput.deploy import proven_last
from stayput.engine import Drift
from stayput.errors import DifferencesFound, WrongUse
from stayput.ledger import Live
from stayput.report import Report
from stayput.targets import Observed
from stayput.workspace import Workspace


def drift(workspace: Workspace, report: Report, *, target: bool = False) -> None:
    """Say everything that `deploy` would put right. Raises DifferencesFound if there is anything.

    target: look at what the last proven release has at its target, too.
    """
    changed = _at_target(workspace, report) if target else []
    if not target or workspace.project.storage == "s3":
        _in_cloud(workspace, report)
    if changed:
        what = f"{_counted(len(changed))} between the last proven release and what is there"
        raise DifferencesFound(f"target {workspace.target.name}", what, "put it right: invoke deploy")


def differences(last: Live, observed: Observed) -> list[Drift]:
    """What the target has otherwise than the release that was proven last: names and settings, never a value. Pure."""
    found: list[Drift] = []
    if observed.release != last.release:
        found.append(Drift("release", f"{observed.release or 'nothing'} serves, not {last.release}"))
    elif not observed.healthy:
        found.append(Drift("release", observed.said or "is not healthy"))
    elif observed.build != last.build:
        found.append(Drift("build", f"{observed.build or 'unknown'} serves, not {last.build}"))
    if last.image and observed.image and observed.image != last.image:
        found.append(Drift("image", f"is {observed.image}, was {last.image}"))
    for name in observed.differing(last.fingerprints):
        found.append(Drift(f"variable {name}", "is changed" if name in observed.fingerprints else "is gone"))
    return [*found, *(Drift(one.setting, str(one)) for one in observed.deviations if one.wanted)]


def _at_target(workspace: Workspace, report: Report) -> list[Drift]:
    name = workspace.target.name
    last, observed = proven_last(workspace), workspace.target.observe()
    changed = differences(last, observed)
    report.document |= {
        "target": name,
        "release": last.release,
        "changed": [dataclasses.asdict(one) for one in changed],
    }
    for one in changed:
        report.say(one.what if one.what.startswith(one.resource) else f"{one.resource} {one.what}")
    for one in observed.deviations:
        if not one.wanted:
            report.say(f"(left to you) {one}")
    if not changed:
        report.say(f"The target {name} has release {last.release} as it was proven.")
    return changed


def _in_cloud(workspace: Workspace, report: Report) -> None:
    cloud = workspace.engine.observe()
    if cloud.outputs is None and not cloud.changes:
        raise WrongUse(f"stack {workspace.stack.name}", f"has no cloud: {cloud.reason}", "provision it: invoke deploy")
    drifted = workspace.engine.drift()
    report.document |= {
        "stack": workspace.stack.name,
        "engine": cloud.engine,
        "drift": [dataclasses.asdict(one) for one in drifted],
        "changes": [dataclasses.asdict(one) for one in cloud.changes],
    }
    for one in drifted:
        report.say(f"{one.resource}: {one.what}")
    for one in cloud.changes:
        report.say(f"to {one.action}: {one.type.rsplit(':', 1)[1]} {one.name}" + (f" ({one.why})" if one.why else ""))
    if drifted or cloud.changes or cloud.reason:
        count = max(len(drifted), len(cloud.changes), 1)
        what = f"{_counted(count)} between program, state and cloud"
        raise DifferencesFound(f"stack {workspace.stack.name}", what, "put it right: invoke deploy")
    report.say(f"The stack {workspace.stack.name} is what the program says, and so is the cloud.")


def _counted(count: int) -> str:
    return f"{count} difference{'s' if count > 1 else ''}"
