"""Makes the cloud what a program says, one resource at a time, each step written down before the next."""

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError
from msgspec.structs import replace

from stayput.engine.state import Entry, State
from stayput.errors import StayputError
from stayput.localcloud.names import named
from stayput.localcloud.resource import Refused, Resource


class Reconciler:
    """Create or update, and delete what is no longer wanted. `state` is always what `save` got last."""

    def __init__(
        self,
        table: Mapping[str, Resource],
        state: State,
        save: Callable[[State], None],
        say: Callable[[str], None],
    ) -> None:
        self.state = state
        self._table, self._save, self._say = table, save, say
        self._wanted: set[str] = set()

    def register(self, urn: str, type: str, inputs: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """Bring one resource of the program about. Returns its id and outputs."""
        name = urn.rsplit("::", 1)[1]
        resource = self._table.get(type)
        if resource is None:
            raise StayputError(f"{type} {name}", "this machine's cloud cannot make it", "take it out of infra/")
        old = next((entry for entry in self.state.resources if entry.urn == urn), None)
        new = Entry(urn=urn, type=type, inputs=named(name, resource.named_by, inputs, old.inputs if old else None))
        if failures := resource.check(new.inputs):
            said = "; ".join(f"{failure.property} {failure.reason}" for failure in failures)
            raise StayputError(f"{type} {name}", said, "correct infra/ or the stack's settings")
        self._wanted.add(urn)
        try:
            made = self._bring_about(resource, old, new)
        except (ClientError, BotoCoreError, Refused) as error:
            raise _explained(new, error) from None
        return made.id, made.outputs

    def prune(self) -> None:
        """Delete what was replaced, and what was not registered, the newest first."""
        unwanted = [entry for entry in self.state.resources if entry.urn not in self._wanted]
        for entry in reversed((*self.state.condemned, *unwanted)):
            try:
                self._delete(self._table[entry.type], entry)
            except (ClientError, BotoCoreError) as error:
                raise _explained(entry, error) from None

    def _bring_about(self, resource: Resource, old: Entry | None, new: Entry) -> Entry:
        if old is None:
            return self._create(resource, new)
        if not old.id:
            self._delete(resource, old)
            return self._create(resource, new)
        difference = resource.diff(old.inputs, new.inputs)
        if difference.replaces:
            self._keep(replace(self._without(old), condemned=(*self.state.condemned, old)))
            return self._create(resource, new)
        now = resource.read(old.id, old.outputs)
        if now is None:
            self._keep(self._without(old))
            return self._create(resource, new)
        if not difference.changed and now == old.outputs:
            return old
        made = replace(new, id=old.id, outputs=resource.update(old.id, old.outputs, new.inputs))
        self._put(made)
        why = ", ".join(difference.changed) or "it was changed from outside"
        self._say(f"updated {_short(made)} {made.name}: {why}")
        return made

    def _create(self, resource: Resource, new: Entry) -> Entry:
        self._put(new)  # before it exists, so that a crash leaves nothing behind that is not recorded
        try:
            id, outputs = resource.create(new.inputs)
        except (ClientError, Refused):
            self._keep(self._without(new))  # the cloud refused: there is nothing to know of
            raise
        made = replace(new, id=id, outputs=outputs)
        self._put(made)
        self._say(f"created {_short(made)} {made.name}")
        return made

    def _delete(self, resource: Resource, entry: Entry) -> None:
        if entry.id:
            resource.delete(entry.id, entry.outputs)
            self._say(f"deleted {_short(entry)} {entry.name}")
        else:
            known = {one.id for one in (*self.state.resources, *self.state.condemned) if one.type == entry.type}
            for id in set(resource.leftovers(entry.inputs)) - known:
                resource.delete(id, {**entry.inputs, "forceDestroy": False})
        self._keep(self._without(entry))

    def _put(self, entry: Entry) -> None:
        """Write an entry in its place, a new one at the end."""
        if any(one.urn == entry.urn for one in self.state.resources):
            resources = tuple(entry if one.urn == entry.urn else one for one in self.state.resources)
        else:
            resources = (*self.state.resources, entry)
        self._keep(replace(self.state, resources=resources))

    def _without(self, entry: Entry) -> State:
        return replace(
            self.state,
            resources=tuple(one for one in self.state.resources if one != entry),
            condemned=tuple(one for one in self.state.condemned if one != entry),
        )

    def _keep(self, state: State) -> None:
        self._save(state)
        self.state = state


def _short(entry: Entry) -> str:
    return entry.type.rsplit(":", 1)[1]


def _explained(entry: Entry, error: Exception) -> StayputError:
    where = f"{_short(entry)} {entry.name}"
    if isinstance(error, HTTPClientError | ConnectionError):
        return StayputError(where, "this machine's cloud stopped answering", "run it again: what is lost is made anew")
    said = " ".join(str(error).split())
    return StayputError(where, said, "correct infra/ or the stack's settings, then run it again")
