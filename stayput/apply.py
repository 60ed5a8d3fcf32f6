"""The steps, done one after the other, each written to the ledger before and after. All the writing starts here."""

import time
from collections.abc import Iterable
from threading import Thread
from typing import Protocol, assert_never

from stayput.engine import Cloud
from stayput.errors import NeedsAPerson, StayputError
from stayput.image.commands import record_attestation
from stayput.ledger import Began, Did, Failed, Withdrawn
from stayput.report import Report
from stayput.steps import (
    Attest,
    BuildImage,
    Inject,
    Migrate,
    Promote,
    Provision,
    Publish,
    Record,
    Rekey,
    Start,
    Step,
    Verify,
)
from stayput.workspace import Workspace


class Executor(Protocol):
    """What a plan is given to. A preview and a deploy differ in nothing else."""

    def __call__(self, steps: Iterable[Step]) -> Cloud | None: ...  # what the stack became; None: it was left as it is


def show(workspace: Workspace, report: Report) -> Executor:
    """An executor that only says the steps."""

    def execute(steps: Iterable[Step]) -> None:
        for step in steps:
            report.planned(step.name, step.reason, str(step))
            if isinstance(step, Provision):
                for change in step.changes or workspace.engine.preview():
                    report.say(
                        f"    {change.action} {change.type} {change.name}" + (f": {change.why}" if change.why else "")
                    )

    return execute


def apply(workspace: Workspace, report: Report) -> Executor:
    """An executor that does the steps and journals them."""

    def execute(steps: Iterable[Step]) -> Cloud | None:
        cloud, steps = None, tuple(steps)
        for step in steps:
            if isinstance(step, Verify):  # while what comes before it waits for others
                Thread(target=step.get_ready, daemon=True).start()
        for step in steps:
            workspace.ledger.append(Began(step=step.name, reason=step.reason))
            started = time.monotonic()
            try:
                with report.step(step.name, step.reason, str(step)):
                    cloud = _perform(step, workspace, report) or cloud
            except BaseException as problem:
                workspace.ledger.append(Failed(step=step.name, error=str(problem) or type(problem).__name__))
                _take_back(step, workspace, problem)
                raise
            workspace.ledger.append(Did(step=step.name, seconds=round(time.monotonic() - started, 3)))
        return cloud

    return execute


def _take_back(step: Step, workspace: Workspace, why: BaseException) -> None:
    """Withdraw the release whose step failed: what served before goes on serving."""
    if isinstance(step, Rekey | Provision | BuildImage | Attest | Publish | Record):
        return
    try:
        workspace.target.withdraw(step.release)
    except StayputError as problem:
        said = why.what if isinstance(why, StayputError) else f"{why or type(why).__name__}"
        what = f"{said}; and release {step.release.id} could not be withdrawn: {problem.what}"
        raise NeedsAPerson(problem.where, what, problem.next_step) from why
    workspace.ledger.append(Withdrawn(target=workspace.target.name, release=step.release.id, why=str(why)))


def _perform(step: Step, workspace: Workspace, report: Report) -> Cloud | None:
    target = workspace.target
    match step:
        case Rekey():
            step.perform(workspace.stack)
        case Provision():
            return step.perform(workspace.engine, lambda line: report.say(f"    {line}"))
        case BuildImage():
            for part in workspace.images.rebuilt(step.build):
                report.say(f"    {part['part']} rebuilt: {part['reason']}")
            step.perform(workspace.images)
        case Attest():
            record_attestation(step.perform(workspace.images), workspace.images, workspace.ledger, report)
        case Publish() | Inject() | Start() | Promote():
            step.perform(target)
        case Migrate():
            if said := step.perform(target):
                report.say(f"    {said}")
        case Verify():
            proof = step.perform(target)
            report.proof(proof)
            proof.or_raise()
        case Record():
            try:
                step.perform(target, workspace.ledger)
            except StayputError as problem:
                raise NeedsAPerson(
                    problem.where,
                    f"release {step.release.id} has the traffic, but {problem.what}",
                    "run the deploy again",
                ) from problem
        case _:
            assert_never(step)
    return None
