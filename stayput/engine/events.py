"""What Pulumi's engine reports while it works, in this project's words. Pure, but for the collecting."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, cast

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

from stayput.engine import Change, Drift
from stayput.engine.words import drifted, kind, name, shown

DONE = {
    "create": "created",
    "create-replacement": "created",
    "update": "updated",
    "delete": "deleted",
    "delete-replaced": "deleted",
    "import": "took over",
}
PLANNED = {"create", "update", "replace", "delete", "import"}
Action = Literal["create", "update", "replace", "delete", "import"]


@dataclass
class Listener:
    """Collects planned changes and errors, and says what is done as it happens."""

    say: Callable[[str], None] = lambda line: None
    changes: list[Change] = field(default_factory=list[Change])
    drift: list[Drift] = field(default_factory=list[Drift])
    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict[str, set[str]](set))  # by "AccessKey"
    errors: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])  # "Bucket media" or "", what it said

    def __call__(self, event: EngineEvent) -> None:
        if event.resource_pre_event and _counts(step := event.resource_pre_event.metadata) and step.op in PLANNED:
            why = ", ".join(step.diffs or ()) if step.op in ("update", "replace") else ""
            action = cast(Action, step.op.value)
            self.changes.append(Change(action=action, type=step.type, name=name(step.urn), why=why))
        if event.res_outputs_event and _counts(step := event.res_outputs_event.metadata):
            self._done(step)
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            urn = event.diagnostic_event.urn or ""
            where = "" if "pulumi:pulumi:Stack" in urn else shown(urn)
            self.errors.append((where, event.diagnostic_event.message))

    def _done(self, step: StepEventMetadata) -> None:
        if step.op in DONE:
            why = ": " + ", ".join(step.diffs) if step.op == "update" and step.diffs else ""
            self.say(f"{DONE[step.op]} {shown(step.urn)}{why}")
        if step.new and step.new.id:
            self.ids[kind(step.urn)].add(step.new.id)
        if step.op == "refresh" and step.old:
            self.drift += drifted(shown(step.urn), step.old.outputs or {}, step.new.outputs if step.new else None)


def _counts(step: StepEventMetadata) -> bool:
    """Whether it is about something in the cloud: not the stack itself, a component or a provider."""
    return step.type.startswith("aws:")
