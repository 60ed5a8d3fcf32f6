"""What a provider's file fills in: its calls and their answers, in our words. docs/new-target.md leads through it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from stayput.domains import Domain
from stayput.release import Build, Variables
from stayput.targets import Deviation
from stayput.targets.http import Api

HEALTH_PATH = "/healthz"
READ_ITS_LOG = "read its log above, mend that, deploy again"


class Phase(Enum):
    """What a deployment is, in our words. A word of the provider that is not known here is UNDERWAY: waited on."""

    UNDERWAY = "underway"
    LIVE = "live"
    REPLACED = "replaced"  # was live once
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    id: str
    phase: Phase
    said: str  # the provider's own word
    image: str = ""  # reference with digest, or the commit that was built, where the provider tells
    created: str = ""  # when, as the provider writes it
    next_step: str = READ_ITS_LOG  # where it failed


@dataclass(frozen=True, kw_only=True)
class Pace:
    """Seconds: polls from `first` growing to `last`, and how long something is waited for."""

    first: float = 1.0
    last: float = 5.0
    deployment: float = 1800.0
    public: float = 180.0  # until the public address has changed
    look: float = 120.0  # for a deployment that a list does not show yet; after that it was never made
    others: float = 300.0  # until another's deployment has ended
    retry: float = 0.5


def repository(image: str) -> str:
    """A reference without tag and digest; names that Docker Hub leaves out are left out."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}".removeprefix("https://").removeprefix("docker.io/")


class Provider(Protocol):
    """One PaaS. It decides nothing, and starts no deployment but in `deploy` and `back_to`."""

    name: str
    named: str  # what stayput.toml says of it, in one text
    api: Api
    migrates: str  # how the database is migrated there, in words

    def find(self, known: str) -> str: ...

    # The ids of what stayput.toml names; after it, reads may be made side by side. known: what an earlier run was given
    # here, taken without a call; `url` raises Refused where it leads to something of another name. Empty: looked up.

    def url(self) -> str: ...  # the first domain that works, without a slash at the end

    def domains(self) -> Sequence[Domain]: ...  # all names of the service, also those that are not verified yet

    def fingerprints(self) -> Mapping[str, str]: ...  # of all variables there; empty where one cannot be read

    def inject(self, values: Variables) -> None: ...  # writes these, drops none

    def restore(self) -> Sequence[str]: ...

    # Puts back what inject replaced in this run, where its own value is still there; names where that cannot be.

    def deviations(self, migrate: str) -> Sequence[Deviation]: ...  # settings that would fail in silence; reads only

    def settle(self, image: str, migrate: str) -> Sequence[Deviation]: ...  # puts these right, and the image; what was

    def deploy(self, image: str) -> str: ...  # the new deployment's id, or empty where it is not known. Raises Unsure

    def deployments(self) -> Sequence[Deployment]: ...  # newest first

    def deployment(self, id: str) -> Deployment: ...

    def whose(self, id: str) -> str: ...  # who or what asked for that deployment; empty where it is not known

    def cancel(self, id: str) -> None: ...

    def back_to(self, id: str) -> str: ...  # an earlier deployment again: the new one's id, or empty. Raises Unsure

    def log(self, deployment: str, lines: int) -> Sequence[str]: ...  # empty id: what the live one writes


class Builder(Provider, Protocol):
    """A provider that builds the repository itself: what is deployed is a commit."""

    def build_log(
        self, deployment: str
    ) -> Sequence[str]: ...  # of that deployment's own build; empty where it had none


class Source(Protocol):
    """Where what is deployed comes from, by build: images by digest, or commits that a Builder builds."""

    def measure(self) -> Build: ...  # the build that this tree would give; reads only

    def has(self, build: Build) -> bool: ...  # it can be released; reads only

    def publish(self, build: Build) -> None: ...  # build, attest, push; or find its commit pushed

    def deviations(self) -> Sequence[Deviation]: ...  # what keeps a provider from taking it; reads only

    def reference(self, build: Build) -> str: ...  # repository@sha256:..., or a commit. Raises StayputError
