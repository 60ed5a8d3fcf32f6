"""Upload tokens: who holds the site's STAYPUT_KEY makes one, it says what for, and it dies after ten minutes.

Works without Django's settings, so that a deploy can sign what its site will verify.
"""

import time
from typing import Any, Literal, get_args

from django.core.signing import BadSignature, Signer

Purpose = Literal["upload", "smoke-test", "keepsake"]
LIFETIME = 600  # seconds
CLOCK_SKEW = 60  # seconds by which the signer's clock may be ahead of ours


class BadToken(Exception):
    """A token that opens nothing; says why in a sentence."""


def sign(key: str, *, purpose: Purpose, issued_at: float | None = None) -> str:
    """A token that is good for LIFETIME seconds. issued_at: seconds since the epoch, now if left out."""
    at = time.time() if issued_at is None else issued_at
    return signer(key).sign_object({"purpose": purpose, "issued_at": int(at)})


def verify(key: str, token: str) -> Purpose:
    """What the token is for. Raises BadToken when it is forged, changed, too old, or from the future."""
    try:
        said: Any = signer(key).unsign_object(token)
    except BadSignature:
        raise BadToken("The upload token was not signed by this site's STAYPUT_KEY.") from None
    age = time.time() - said["issued_at"]
    if age > LIFETIME:
        raise BadToken("The upload token has expired: a token lives ten minutes.")
    if age < -CLOCK_SKEW:
        raise BadToken("The upload token is from the future: the clock of its signer is ahead.")
    if said["purpose"] not in get_args(Purpose):
        raise BadToken("The upload token is for something this site does not know.")
    return said["purpose"]


def signer(key: str) -> Signer:
    if not key:
        raise ValueError("STAYPUT_KEY is empty: nothing can be signed with it")
    return Signer(key=key, salt="stayput.upload-token", fallback_keys=[])  # [] or it would ask Django's settings
