"""Who may write: whoever is logged in, or holds an upload token."""

from dataclasses import dataclass

from django.conf import settings
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
    """Counts what a user, or the holders of a kind of token, upload from one address."""

    scope = "uploads"

    def get_cache_key(self, request: Request, view: object) -> str | None:
        return f"uploads-{owner(request)}-{self.get_ident(request)}"
