"""What Pulumi's engine tells while it works, in this project's words. Pure, but for the collecting."""

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from pulumi.automation import EngineEvent
from pulumi.automation.events import StepEventMetadata

from stayput.engine import Change, Drift

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
            self.changes.append(Change(action=action, type=step.type, name=_name(step.urn), why=why))
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


def drifted(resource: str, old: Mapping[str, Any], new: Mapping[str, Any] | None) -> list[Drift]:
    """What became of a resource since it was made, a line a property; new None: it is gone."""
    if new is None:
        return [Drift(resource, "is gone")]
    names = [name for name in (*old, *(name for name in new if name not in old)) if old.get(name) != new.get(name)]
    return [Drift(resource, f"{name} is {_said(new.get(name))}, was {_said(old.get(name))}") for name in names]


def _said(value: Any) -> str:
    match value:
        case bool():
            return "on" if value else "off"
        case None:
            return "not set"
        case str():
            return value
        case _:
            return json.dumps(value, sort_keys=True)


def shown(urn: str) -> str:
    """ "Bucket media"; empty for no urn."""
    return f"{kind(urn)} {_name(urn)}" if "::" in urn else ""


def kind(urn: str) -> str:
    """The short type of a resource: "Bucket"."""
    return urn.split("::")[2].rsplit("$", 1)[-1].rsplit(":", 1)[-1]


def _name(urn: str) -> str:
    return urn.rsplit("::", 1)[1]


def _counts(step: StepEventMetadata) -> bool:
    """Whether it is about something in the cloud: not the stack itself, a component or a provider."""
    return step.type.startswith("aws:")
