"""What Pulumi's engine says when it fails, as one line with the next step. Pure."""

import re
from collections.abc import Sequence

from stayput.errors import NeedsAPerson, StayputError
from stayput.localcloud.resource import CANCELLED

# A part of what is said, what it means, and what to do. The first that is found counts.
KNOWN = (
    ("incorrect passphrase", "the passphrase is not the one that the stack was encrypted with", "{passphrase}"),
    ("passphrase must be set", "the stack is encrypted with a passphrase, and none is given", "{passphrase}"),
    ("the stack is currently locked", "somebody else is at work on it{holder}", "{unlock}"),
    ("ExpiredToken", "the AWS session has expired", "log in to AWS again, then run it again"),
    ("InvalidClientTokenId", "AWS does not know the access key", "correct the AWS credentials, then run it again"),
    ("SignatureDoesNotMatch", "AWS does not accept the secret of the access key", "correct the AWS credentials"),
    (
        "RequestTimeTooSkewed",
        "the clock of this machine is off",
        "set it (timedatectl set-ntp true), then run it again",
    ),
    ("No valid credential sources", "there are no AWS credentials", "log in to AWS, or name a profile: aws:profile"),
    ("BucketAlreadyOwnedByYou", "a bucket of that name is yours already", "take it over: stayput:import: NAME"),
    ("BucketAlreadyExists", "somebody else has a bucket of that name", "choose another: stayput:bucket"),
    ("Invalid AWS Region", "there is no such region", "correct aws:region"),
    ("is protected", "it is protected", "destroy it by ./invoke destroy, which asks first"),
    ("no such host", "the address cannot be found", "see to the network and to aws:region, then run it again"),
)


def explained(where: str, errors: Sequence[tuple[str, str]], said: str, passphrase: str) -> StayputError:
    """The failure of a command. where: the stack; errors: resources and what was said of them; said: all it wrote.

    passphrase: the file that should hold it.
    """
    # One fails, and the engine cancels what it has not begun: that is told of each, sometimes before the cause is.
    causes = [one for one in errors if one[0] and CANCELLED not in one[1]]
    if not causes and re.search(rf"update canceled|{CANCELLED}", "\n".join(message for _, message in errors)):
        return StayputError(where, CANCELLED, "run it again: it goes on where it was")
    errors = causes or errors
    text = "\n".join([*(message for _, message in errors), said])
    if re.search(r"could not (deserialize|unmarshal|load) |invalid character|unexpected end of JSON", text):
        return NeedsAPerson(
            where, "its state cannot be read", "put back a backup beside it (.pulumi/backups), or: pulumi stack import"
        )
    fills = {
        "passphrase": f"put the right one into {passphrase}",
        "holder": f": {holder[1]}" if (holder := re.search(r"created by ([^\n]+)", text)) else "",
        "unlock": "wait for it; if nobody is there any more: pulumi cancel",
    }
    place = next((resource for resource, _ in errors if resource), "")
    for sign, meaning, next_step in KNOWN:
        if sign in text:
            return StayputError(place or where, meaning.format(**fills), next_step.format(**fills))
    return StayputError(place or where, _telling(errors, said), "mend that, then run it again: it goes on where it was")


def _telling(errors: Sequence[tuple[str, str]], said: str) -> str:
    """The line that says most: the first error of a resource, else of the program, else the last line."""
    of_resources = [message for resource, message in errors if resource]
    lines = [
        line.strip() for message in (of_resources or [message for _, message in errors]) for line in _lines(message)
    ]
    lines = lines or [line for line in _lines(said) if line.startswith("error:")] or _lines(said)[-1:]
    if not lines:
        return "the engine ended without a word"
    if refused := re.search(r"property (\S+) value \{.*\} has a problem: (.*)", lines[0]):
        return " ".join(refused.groups())
    return re.sub(r"^error:\s*", "", lines[0])


def _lines(text: str) -> list[str]:
    plain = re.sub(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m", "", text)
    lines = [line.strip().removeprefix("* ") for line in plain.splitlines()]
    return [line for line in lines if line and not re.fullmatch(r"\d+ errors? occurred:", line)]
