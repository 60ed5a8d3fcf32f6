"""What every type of resource can do, and what is the same for all of them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from botocore.exceptions import ClientError

from stayput.localcloud.names import MADE_UP
from stayput.localcloud.shapes import Shape, unknown

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_s3 import S3Client

T = TypeVar("T")

GONE = frozenset(
    {
        "404",
        "NoSuchBucket",
        "NoSuchBucketPolicy",
        "NoSuchCORSConfiguration",
        "NoSuchEntity",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "OwnershipControlsNotFoundError",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)

CANCELLED = "the command was cancelled"  # said of what was not begun because of that

Properties = Mapping[str, Any]  # by the provider's names, as on the wire


class Refused(Exception):
    """What AWS would have answered with an error, and the process that plays it does not."""


@dataclass(frozen=True)
class Failure:
    """Why an input cannot stand."""

    property: str
    reason: str


@dataclass(frozen=True)
class Difference:
    """Names of the inputs that differ, and of those among them that need a new resource."""

    changed: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Aws:
    """The clients of one cloud."""

    s3: "S3Client"
    iam: "IAMClient"
    region: str


class Resource(ABC):
    """One type of resource. It keeps nothing: the caller keeps ids, inputs and outputs."""

    type: ClassVar[str]  # Pulumi's: "aws:s3/bucket:Bucket"
    shape: ClassVar[Shape]  # of its inputs
    required: ClassVar[Collection[str]] = ()
    identity: ClassVar[Collection[str]] = ()  # inputs whose change needs a new resource
    named_by: ClassVar[str] = ""  # the input with the physical name, where there is one

    def __init__(self, aws: Aws) -> None:
        self.aws = aws

    def check(self, inputs: Properties) -> list[Failure]:
        """What is wrong with these inputs, without asking the cloud."""
        given = {name: value for name, value in inputs.items() if name != MADE_UP}
        failures = [Failure(path, "this machine's cloud does not know it") for path in unknown(self.shape, given)]
        return failures + [Failure(name, "is missing") for name in self.required if name not in given]

    def diff(self, old: Properties, new: Properties) -> Difference:
        changed = tuple(name for name in self.shape if old.get(name) != new.get(name))
        return Difference(changed, tuple(name for name in changed if name in self.identity))

    @abstractmethod
    def create(self, inputs: Properties) -> tuple[str, dict[str, Any]]:
        """The new resource's id and outputs."""

    @abstractmethod
    def read(self, id: str, outputs: Properties) -> dict[str, Any] | None:
        """The outputs as they are now, None if the resource is gone; what only creation shows is kept from before."""

    @abstractmethod
    def update(self, id: str, outputs: Properties, inputs: Properties) -> dict[str, Any]:
        """The outputs after making it as the inputs say."""

    @abstractmethod
    def delete(self, id: str, outputs: Properties) -> None:
        """Gone already is no error."""

    @abstractmethod
    def leftovers(self, inputs: Properties) -> list[str]:
        """Ids that an interrupted `create` of these inputs may have left behind."""


def unless_gone(call: Callable[[], T]) -> T | None:
    """The call's answer; None if what it asks about does not exist."""
    try:
        return call()
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in GONE:
            return None
        raise
