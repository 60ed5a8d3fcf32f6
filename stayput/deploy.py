"""The one way through the house: observe, plan, apply, prove, record; for the cloud, then for the release."""

import contextlib
import getpass
import socket
from concurrent.futures import ThreadPoolExecutor

from stayput import secrets
from stayput.apply import Executor, apply, show
from stayput.errors import DifferencesFound, WrongUse
from stayput.ledger import Destroyed, Live, Waived
from stayput.plan import Desired, plan_cloud, plan_release
from stayput.prove import prove, prove_names
from stayput.release import Build
from stayput.report import Report
from stayput.targets import Observed
from stayput.workspace import Workspace


def deploy(workspace: Workspace, report: Report, *, without_keepsake: str = "") -> None:
    """Put this tree on the target and prove that uploads work there; nothing changed, nothing done.

    without_keepsake: why the last release's keepsake is gone for good, and not asked for any more.
    """
    with workspace.ledger.held("deploy"):
        secrets.keep(workspace.stack.secrets, workspace.secrets)
        if step := workspace.ledger.unfinished():
            report.say(f"The last command was cut off at the step {step}; going on from what is there.")
        _waive_keepsake(workspace, report, without_keepsake)
        travel(workspace, report, apply(workspace, report))


def plan(workspace: Workspace, report: Report, *, exit_code: bool = False) -> None:
    """Say what deploy would do, and why; change nothing. Raises DifferencesFound if asked to."""
    travel(workspace, report, show(workspace, report))
    if exit_code and report.steps:
        raise DifferencesFound("plan", f"{len(report.steps)} steps to do", "do them: invoke deploy")


def smoke_test(workspace: Workspace, report: Report) -> None:
    """Prove what is live now, against what the ledger says is live. Raises ProofFailed."""
    last = proven_last(workspace)
    access = workspace.access(workspace.provisioned())
    sought = workspace.sought(last, access)
    if sought.why_not:
        report.say(f"The keepsake of {last.release} {sought.why_not}.")
    proof = prove(
        last.url,
        access,
        build=last.build,
        release=last.release,
        keepsake=sought.keepsake,
        pages=workspace.project.proof.pages,
    )
    proof = prove_names(proof, workspace.target, *workspace.names())
    report.proof(proof)
    report.document = {**report.document.pop("proof"), "build": proof.build, "release": proof.release}
    proof.or_raise()


def proven_last(workspace: Workspace) -> Live:
    """The release of the target that was proven last. Raises WrongUse where there is none."""
    proven = workspace.ledger.live(workspace.target.name)
    if not proven:
        raise WrongUse(f"target {workspace.target.name}", "has no proven release", "deploy one: invoke deploy")
    return proven[-1]


def rollback(workspace: Workspace, report: Report, to: str | None = None, *, without_keepsake: str = "") -> None:
    """Put an earlier proven build back, under the variables of today. `to`: its release or build, else the last.

    without_keepsake: as for a deploy.

    The cloud stays as it is: a rollback does not wait for it, and infra/ may be what went wrong.
    """
    proven = workspace.ledger.live(workspace.target.name)
    earlier = [event for event in proven if event.build != proven[-1].build]
    if to:
        earlier = [event for event in proven if to in (event.release, event.build)]
    if not earlier:
        known = ", ".join(dict.fromkeys(event.release for event in proven)) or "none"
        raise WrongUse("rollback", f"there is no {to or 'earlier build'} to go back to", f"proven releases: {known}")
    build = Build(id=earlier[-1].build, parts=earlier[-1].parts)
    with workspace.ledger.held("rollback"):
        _waive_keepsake(workspace, report, without_keepsake)
        with ThreadPoolExecutor(1) as aside:
            provisioned = aside.submit(workspace.provisioned)
            observed = _set_out(workspace, report)
        desired = workspace.desired(provisioned.result(), build, back=True)
        _release(workspace, report, apply(workspace, report), observed, desired)


def destroy(workspace: Workspace, report: Report, *, with_objects: bool = False) -> None:
    """Take away the target's releases, then the stack.

    What this machine's cloud holds goes with it; a bucket of an account that is not empty only with_objects.
    """
    with workspace.ledger.held("destroy"):
        workspace.engine.check_destroy(with_objects=with_objects)
        with report.step("destroy", "asked for", f"take everything off the target {workspace.target.name}"):
            workspace.target.destroy()
            workspace.ledger.append(Destroyed(target=workspace.target.name))
        with report.step("destroy", "asked for", f"destroy the stack {workspace.stack.name}"):
            workspace.engine.destroy(lambda line: report.say(f"    {line}"), with_objects=with_objects)


def _waive_keepsake(workspace: Workspace, report: Report, why: str) -> None:
    """Write down that the last release's keepsake is not asked for any more, by whom and why; nothing without a why."""
    if not why:
        return
    proven = workspace.ledger.live(workspace.target.name)
    keepsake = proven[-1].keepsake if proven else None
    if keepsake is None or keepsake.waived:
        report.say("There is no keepsake to go without.")
        return
    by = "an unknown user"
    with contextlib.suppress(OSError, KeyError, ImportError):  # this user has no name
        by = getpass.getuser()
    by = f"{by} on {socket.gethostname()}"
    workspace.ledger.append(Waived(target=workspace.target.name, keepsake=keepsake.id, by=by, why=why))


def travel(workspace: Workspace, report: Report, execute: Executor) -> None:
    """Both passes, for this tree."""
    observed = _set_out(workspace, report)
    if line := workspace.missing_origins():
        report.say(line)
    build = workspace.target.measure()
    if cloud := workspace.cloud():
        cloud = cloud.drifted(workspace.engine.drift())
    if cloud and (cloud_steps := plan_cloud(cloud)):
        report.document["changed"] = True
        cloud = execute(cloud_steps) or cloud
        if cloud.outputs is None:
            report.say("The release is planned once the stack is there: its variables come from the stack's outputs.")
            return
    _release(workspace, report, execute, observed, workspace.desired(cloud, build))


def _set_out(workspace: Workspace, report: Report) -> Observed:
    """The target as it is, before all else: what is refused is refused before anything is provisioned."""
    report.document |= {
        "changed": False,
        "target": workspace.target.name,
        "image": "",
        "steps": report.steps,
        "proof": {},
    }
    return workspace.observe()


def _release(workspace: Workspace, report: Report, execute: Executor, observed: Observed, desired: Desired) -> None:
    """The second pass: that release, live and proven."""
    release = desired.release
    report.document |= {"build": release.build.id, "release": release.id, "url": observed.url, "image": observed.image}
    steps = plan_release(desired, observed)
    if steps:
        report.document["changed"] = True
        execute(steps)
        report.document["image"] = workspace.image(release.build)
    else:
        report.say(f"Nothing to do: release {release.id} is live at {observed.url} and was proven.")
