"""Who may write: a person who is logged in, or the holder of an upload token."""

from dataclasses import dataclass
from hashlib import sha256

from django.conf import settings
from django.db import connection
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from stayput.django.tokens import BadToken, Purpose, verify


@dataclass(frozen=True)
class TokenHolder:
    """Stands where Django has a user."""

    purpose: Purpose
    is_authenticated = True

    @property
    def pk(self) -> str:
        return f"token-{self.purpose}"

    @property
    def listed(self) -> bool:
        """Whether pictures of this purpose are for the public list."""
        return self.purpose == "upload"


def owner(request: Request) -> str:
    """Who sends: a user, or the holders of a kind of token."""
    user = request.user
    return user.pk if isinstance(user, TokenHolder) else f"user-{user.pk}"


class UploadTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer TOKEN`, signed with STAYPUT_KEY."""

    def authenticate(self, request: Request) -> tuple[TokenHolder, str] | None:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            return TokenHolder(verify(settings.STAYPUT_KEY, token.strip())), token
        except BadToken as problem:
            raise AuthenticationFailed(str(problem)) from None

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="uploads"'


class UploadThrottle(SimpleRateThrottle):
    """Counts what a user, or the holders of a kind of token, upload from one address.

    All workers count in the database, each upload in one statement, so that none of many at once is missed.
    """

    scope = "uploads"
    num_requests: int
    duration: int

    def allow_request(self, request: Request, view: object) -> bool:
        now = self.timer()
        who = sha256(f"{owner(request)} {self.get_ident(request)}".encode()).hexdigest()
        with connection.cursor() as cursor:
            cursor.execute(COUNT, {"who": who, "now": now, "over": now - self.duration})
            began, uploads = cursor.fetchone()
        self.left = min(self.duration, began + self.duration - now)
        return uploads <= self.num_requests

    def wait(self) -> float:
        """Seconds until the sender's next minute begins."""
        return self.left


COUNT = """
    INSERT INTO uploads_sender AS counted (who, began, uploads) VALUES (%(who)s, %(now)s, 1)
    ON CONFLICT (who) DO UPDATE SET
        began = CASE WHEN counted.began > %(over)s THEN counted.began ELSE %(now)s END,
        uploads = CASE WHEN counted.began > %(over)s THEN counted.uploads + 1 ELSE 1 END
    RETURNING began, uploads
"""
