"""Upload tokens: who holds the site's STAYPUT_KEY makes one, it says what for, and it dies after ten minutes.

Works without Django's settings, so that a deploy can sign what its site will verify.
"""

import time
from typing import Literal, get_args

from django.core.signing import BadSignature, SignatureExpired, TimestampSigner, b62_decode, b62_encode

Purpose = Literal["upload", "smoke-test", "keepsake"]
LIFETIME = 600  # seconds
CLOCK_SKEW = 60  # seconds by which the signer's clock may be ahead of ours


class BadToken(Exception):
    """A token that opens nothing; says why in a sentence."""


class _Signer(TimestampSigner):
    def __init__(self, key: str, issued_at: float | None = None):
        if not key:
            raise ValueError("STAYPUT_KEY is empty: nothing can be signed with it")
        super().__init__(key=key, salt="stayput.upload-token", fallback_keys=[])
        self.issued_at = issued_at

    def timestamp(self) -> str:
        return b62_encode(int(time.time() if self.issued_at is None else self.issued_at))


def sign(key: str, *, purpose: Purpose, issued_at: float | None = None) -> str:
    """A token that is good for LIFETIME seconds. issued_at: seconds since the epoch, now if left out."""
    return _Signer(key, issued_at).sign(purpose)


def verify(key: str, token: str) -> Purpose:
    """What the token is for. Raises BadToken when it is forged, changed, too old, or from the future."""
    try:
        said = _Signer(key).unsign(token, max_age=LIFETIME)
    except SignatureExpired:
        raise BadToken("The upload token has expired: a token lives ten minutes.") from None
    except BadSignature:
        raise BadToken("The upload token was not signed by this site's STAYPUT_KEY.") from None
    if b62_decode(token.split(":")[1]) > time.time() + CLOCK_SKEW:
        raise BadToken("The upload token is from the future: the clock of whoever signed it is ahead.")
    for purpose in get_args(Purpose):
        if said == purpose:
            return purpose
    raise BadToken("The upload token is for something this site does not know.")
