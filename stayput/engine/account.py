"""A stack's cloud as this process asks it, beside the engine: clients, and what is refused as one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

from stayput.engine import faults
from stayput.errors import StayputError, WrongUse
from stayput.localcloud import table
from stayput.localcloud.resource import Aws

MAY = "see whether your key may do that, then run it again"


def connect(url: str, config: Mapping[str, str]) -> Aws:
    """url: of this machine's cloud; empty for the account of the stack's settings. Raises WrongUse."""
    if url:
        return table.connect(url, config["aws:region"])
    try:
        return table.connect_account(config)
    except ProfileNotFound as error:
        raise WrongUse("aws:profile", str(error), "name one of ~/.aws/config, or remove the line") from None


@contextmanager
def explaining(where: str, next_step: str) -> Iterator[None]:
    """Within it, a refusal of AWS is a StayputError. next_step: what to do where nothing more is known."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        said = " ".join(str(error).split())
        raise faults.known(where, said) or StayputError(where, said, next_step) from None
