"""A new access key for the uploader while the site goes on taking uploads.

The way is data: three states of the stack's settings (stayput.keys), each brought about and proven before the next is
written. Whatever cuts it off, the settings say where it stood, and the next run goes on from there.
"""

import dataclasses
import time
from typing import Literal

from stayput import keys
from stayput.apply import apply
from stayput.deploy import proven_last
from stayput.errors import StayputError, WrongUse
from stayput.keys import Keys
from stayput.ledger import Live
from stayput.plan import Desired, plan_cloud, plan_release
from stayput.prove import prove, prove_names
from stayput.release import Build
from stayput.report import Report
from stayput.secrets import fingerprint
from stayput.steps import Provision, Rekey, Step
from stayput.text import printable
from stayput.workspace import Workspace

REASONS: dict[Literal["active", "inactive"] | None, str] = {
    "active": "a new key beside the one in use",
    "inactive": "the new key is proven, and nothing may need the old one",
    None: "the site is proven without the old one",
}


def seconds(text: str) -> int:
    """What --grace says. Raises WrongUse."""
    if not (text.isascii() and text.isdecimal() and len(text) < 7):
        raise WrongUse(f"--grace {printable(text)}", "is no number of seconds", "write it like --grace 3600")
    return int(text)


def rotate_keys(workspace: Workspace, report: Report, *, grace: float = 0) -> None:
    """Replace the key of the live release; end one rotation that was cut off before another is begun.

    grace: seconds that the old key works on after the new one is live, for forms and addresses that it signed.
    Raises WrongUse where nothing is live, and StayputError while another target's release has the old key.
    """
    with workspace.ledger.held("rotate-keys"):
        live = _live(workspace)
        report.document |= {"changed": True, "target": live.target, "steps": report.steps, "proof": {}}
        wanted = keys.read(workspace.stack)
        if wanted.previous:
            report.say(f"The last rotation did not end ({wanted}); going on with it.")
        else:
            cloud = workspace.engine.observe().drifted(workspace.engine.drift())
            if steps := plan_cloud(cloud):  # or there might be three keys for a moment
                apply(workspace, report)(steps)
            wanted = wanted.further()
        while True:
            _bring_about(workspace, report, wanted, live)
            if wanted.previous is None:
                return
            _refuse_while_needed(workspace)
            if wanted.previous == "active" and grace:
                with report.step("wait", "what the old key signed is still out", f"wait for {grace:.0f} seconds"):
                    time.sleep(grace)
            wanted = wanted.further()


def _live(workspace: Workspace) -> Live:
    """The release whose key is replaced."""
    cloud = workspace.cloud()
    if cloud is None:
        raise WrongUse("stayput.toml, storage", "keeps uploads on the disk: there is no key", 'set it to "s3"')
    workspace.access(cloud)
    return proven_last(workspace)


def _bring_about(workspace: Workspace, report: Report, wanted: Keys, live: Live) -> None:
    """These keys in the settings, in the cloud and in the release; and the live site proven with them."""
    execute = apply(workspace, report)
    if keys.read(workspace.stack) != wanted:
        execute(_steps(wanted, REASONS[wanted.previous]))
    elif steps := plan_cloud(workspace.engine.observe()):
        execute(steps)
    try:
        desired = workspace.desired(workspace.cloud(), Build(id=live.build, parts=live.parts))
        if steps := plan_release(desired, workspace.target.observe()):
            execute(steps)
        _prove(workspace, report, desired)
    except StayputError:  # a proof that failed, or a site that is not even healthy any more
        if wanted.previous == "inactive":
            again = dataclasses.replace(wanted, previous="active")
            execute(_steps(again, "the site is not well without the old one"))
        raise


def _steps(wanted: Keys, reason: str) -> tuple[Step, ...]:
    return Rekey(keys=wanted, reason=reason), Provision(changes=(), reason="the uploader's keys")


def _prove(workspace: Workspace, report: Report, desired: Desired) -> None:
    """The smoke test, of the site as its visitors reach it."""
    release = desired.release
    last = workspace.ledger.live(workspace.target.name)[-1]
    assert desired.access.outputs
    report.document |= {"url": last.url, "build": last.build, "release": release.id}
    report.document["access_key_id"] = desired.access.outputs.access_key_id
    with report.step("prove", "the keys changed", f"prove release {release.id}: a photo goes through the live site"):
        proof = prove(
            last.url,
            desired.access,
            build=last.build,
            release=release.id,
            keepsake=workspace.sought(last, desired.access).keepsake,
            pages=desired.pages,
        )
        proof = prove_names(proof, workspace.target, *workspace.names())
    report.proof(proof)
    proof.or_raise()


def _refuse_while_needed(workspace: Workspace) -> None:
    """Raise StayputError for a live release of any target that has another key than the new one."""
    outputs = workspace.access(workspace.provisioned()).outputs
    assert outputs
    new = fingerprint(workspace.secrets.fingerprint_key, outputs.access_key_id)
    for target in workspace.ledger.targets():
        for last in workspace.ledger.live(target)[-1:]:
            if last.fingerprints.get("AWS_ACCESS_KEY_ID", new) != new:
                raise StayputError(
                    f"target {target}",
                    f"release {last.release} still has the old key, which therefore goes on working",
                    f"give it the new one: invoke rotate-keys --target {target}",
                )
