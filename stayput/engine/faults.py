"""What Pulumi's engine and AWS say when they fail, as one line with the next step. Pure."""

import re
from collections.abc import Mapping, Sequence

from stayput.errors import NeedsAPerson, StayputError
from stayput.localcloud.resource import CANCELLED

LOG_IN = "log in to AWS again, then run it again"
CREDENTIALS = "correct the AWS credentials, then run it again"
CUT_SHORT = "Resource monitor has terminated"  # what the program says when the engine has ended, for whatever cause
CLOCK, SET_CLOCK = "the clock of this machine is off", "set it (timedatectl set-ntp true), then run it again"

# A part of what is said, what it means, and what to do. The first that is found counts.
KNOWN = (
    ("incorrect passphrase", "the passphrase is not the one that the stack was encrypted with", "{passphrase}"),
    ("passphrase must be set", "the stack is encrypted with a passphrase, and none is given", "{passphrase}"),
    ("the stack is currently locked", "another command is at work on it{holder}", "{unlock}"),
    ("ExpiredToken", "the AWS session has expired", LOG_IN),
    ("SSO session has expired", "the AWS session has expired", LOG_IN),
    ("InvalidClientTokenId", "AWS does not know the access key", CREDENTIALS),
    ("InvalidAccessKeyId", "AWS does not know the access key", CREDENTIALS),
    ("RequestTimeTooSkewed", CLOCK, SET_CLOCK),
    ("Signature expired", CLOCK, SET_CLOCK),  # IAM says it of a clock that is late, with the code of a wrong secret
    ("Signature not yet current", CLOCK, SET_CLOCK),
    ("SignatureDoesNotMatch", "AWS does not accept the secret of the access key", CREDENTIALS),
    ("No valid credential sources", "there are no AWS credentials", "log in to AWS, or name a profile: aws:profile"),
    ("Unable to locate credentials", "there are no AWS credentials", "log in to AWS, or name a profile: aws:profile"),
    ("BucketAlreadyOwnedByYou", "a bucket of that name is yours already", "take it over: stayput:import: NAME"),
    ("BucketAlreadyExists", "another account has a bucket of that name", "choose another: stayput:bucket"),
    ("Invalid AWS Region", "there is no such region", "correct aws:region"),
    ("InvalidLocationConstraint", "there is no such region", "correct aws:region"),
    ("is protected", "it is protected", "destroy it by ./invoke destroy, which asks first"),
    ("no such host", "the address cannot be found", "see to the network and to aws:region, then run it again"),
    ("Could not connect to the endpoint", "AWS cannot be reached", "see to the network and to aws:region"),
)


def explained(where: str, errors: Sequence[tuple[str, str]], said: str, passphrase: str) -> StayputError:
    """The failure of a command. where: the stack; errors: resources and what was said of them; said: all it wrote.

    passphrase: the file that should hold it.
    """
    # One fails, and the engine cancels what it has not begun: that is reported for each, sometimes before the cause is.
    causes = [one for one in errors if one[0] and CANCELLED not in one[1]]
    if not causes and re.search(rf"update canceled|{CANCELLED}", "\n".join(message for _, message in errors)):
        return StayputError(where, CANCELLED, "run it again: it goes on where it was")
    errors = causes or [one for one in errors if CUT_SHORT not in one[1]]
    text = "\n".join([*(message for _, message in errors), said])
    if re.search(r"could not (deserialize|unmarshal|load) |invalid character|unexpected end of JSON", text):
        return NeedsAPerson(
            where, "its state cannot be read", "put back a backup beside it (.pulumi/backups), or: pulumi stack import"
        )
    fills = {
        "passphrase": f"put the right one into {passphrase}",
        "holder": f": {holder[1]}" if (holder := re.search(r"created by ([^\n]+)", text)) else "",
        "unlock": "wait for it; if that command has died: pulumi cancel",
    }
    place = next((resource for resource, _ in errors if resource), "")
    telling = StayputError(
        place or where, _telling(errors, said), "mend that, then run it again: it goes on where it was"
    )
    return known(place or where, text, fills) or telling


def known(where: str, text: str, fills: Mapping[str, str] | None = None) -> StayputError | None:
    """The failure that a text reports, if it is a known one. fills: what the lines of KNOWN name in braces."""
    for sign, meaning, next_step in KNOWN:
        if sign in text:
            return StayputError(where, meaning.format_map(fills or {}), next_step.format_map(fills or {}))
    return None


def _telling(errors: Sequence[tuple[str, str]], said: str) -> str:
    """The line that says most: the first error of a resource, else of the program, else the last line."""
    of_resources = [message for resource, message in errors if resource]
    lines = [
        line.strip() for message in (of_resources or [message for _, message in errors]) for line in _lines(message)
    ]
    others = [line for line in _lines(said) if CUT_SHORT not in line]
    lines = lines or [line for line in others if line.startswith("error:")] or others[-1:]
    if not lines:
        return "the engine ended without a word"
    if refused := re.search(r"property (\S+) value \{.*\} has a problem: (.*)", lines[0]):
        return " ".join(refused.groups())
    return re.sub(r"^error:\s*", "", lines[0])


def _lines(text: str) -> list[str]:
    plain = re.sub(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m", "", text)
    lines = [line.strip().removeprefix("* ") for line in plain.splitlines()]
    return [line for line in lines if line and not re.fullmatch(r"\d+ errors? occurred:", line)]
