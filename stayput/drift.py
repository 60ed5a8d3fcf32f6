"""What differs between program, state and cloud, in words. Reads only."""

import dataclasses

from stayput.errors import DifferencesFound, WrongUse
from stayput.report import Report
from stayput.workspace import Workspace


def drift(workspace: Workspace, report: Report) -> None:
    """Say everything that `deploy` would put right in the cloud. Raises DifferencesFound if there is anything."""
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
        what = f"{count} difference{'s' if count > 1 else ''} between program, state and cloud"
        raise DifferencesFound(f"stack {workspace.stack.name}", what, "put it right: invoke deploy")
    report.say(f"The stack {workspace.stack.name} is what the program says, and so is the cloud.")
