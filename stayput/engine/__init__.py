"""How the Pulumi program in infra/ is run, whichever engine runs it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from stayput.secrets import Secret


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """The stack outputs."""

    bucket: str
    region: str
    media_base_url: str
    uploader_name: str
    access_key_id: str
    secret_access_key: Secret

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Outputs":
        """From what an engine gives, secrets in clear."""
        plain = {name: value for name, value in values.items() if name != "secret_access_key"}
        return cls(**plain, secret_access_key=Secret(values["secret_access_key"]))


@dataclass(frozen=True, kw_only=True)
class Change:
    """One resource that `up` would touch."""

    action: Literal["create", "update", "replace", "delete", "import"]
    type: str  # Pulumi's type token: "aws:s3/bucket:Bucket"
    name: str
    why: str = ""


@dataclass(frozen=True)
class Drift:
    """One thing in the cloud that was changed outside of the stack."""

    resource: str  # "Bucket media"
    what: str  # "blockPublicAcls is off, was on"


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """What the cloud is, as observed."""

    engine: str
    outputs: Outputs | None  # None: never provisioned, or lost
    endpoint_url: str = ""  # of this machine's cloud; empty for AWS
    signed_addresses: bool = False  # a private bucket: readers need presigned addresses
    changes: tuple[Change, ...] = ()
    drift: tuple[Drift, ...] = ()  # as far as observing finds it
    reason: str = ""  # why `up` is needed, in words; empty: nothing to do

    def drifted(self, drift: "tuple[Drift, ...]") -> "Cloud":
        """As observed, with all that others changed: a reason for `up` where there is no other."""
        words = ", ".join(f"{one.resource} {one.what}" for one in drift[:3])
        more = f" and {len(drift) - 3} more" if len(drift) > 3 else ""
        return replace(self, drift=drift, reason=self.reason or words + more)


class Engine(Protocol):
    """Runs infra/ for one stack. It decides nothing about the release and prints nothing."""

    def recall(self) -> Cloud: ...  # what `up` left: the cloud is not asked, infra/ is not run; no changes, no drift

    def observe(self) -> Cloud: ...  # reads only: starts no process, writes no file

    def preview(self) -> tuple[Change, ...]: ...  # what `up` would touch, also where nothing is; empty: not known

    def drift(self) -> tuple[Drift, ...]: ...  # all that differs between what was made and what is there; reads only

    def up(self, say: Callable[[str], None]) -> Cloud: ...  # idempotent; `say` gets one short line a resource

    def check_destroy(self, *, with_objects: bool = False) -> None: ...  # raises as `destroy` would; reads only

    def destroy(self, say: Callable[[str], None], *, with_objects: bool = False) -> None:
        """All of it; nothing there is no error. with_objects: also of a bucket that is kept safe and is not empty."""
        ...
