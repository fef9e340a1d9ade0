"""How API requests say who they are."""

from django.conf import settings
from rest_framework.authentication import (
    BaseAuthentication,
)
from rest_framework.authentication import (
    SessionAuthentication as DrfSessionAuthentication,
)
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from opsconsole.accounts.loopback import is_local_call
from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.services import authenticate_token, local_account

REALM = "Bearer"


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`. First in the list, so that 401 answers carry `WWW-Authenticate: Bearer`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        token = authenticate_token(bearer(header) or "")
        if token is None:
            raise AuthenticationFailed(
                "The bearer token is not valid: unknown, expired or revoked.", code="invalid_token"
            )
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return REALM


class SessionAuthentication(DrfSessionAuthentication):
    """The console's own sign-in; changes need the CSRF token."""


class LocalAuthentication(BaseAuthentication):
    """The loopback rule, see `opsconsole.accounts.loopback`."""

    def authenticate(self, request: Request) -> tuple[User, None] | None:
        # A header without a value, as WSGI has it for one that was not sent, says nothing.
        headers = {name.lower(): value for name, value in request.headers.items() if value}
        user = local_caller(ip=request.META.get("REMOTE_ADDR", ""), headers=headers)
        return None if user is None else (user, None)


def bearer(header: str) -> str | None:
    """The token in an Authorization header; None for other schemes."""
    scheme, _, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def local_caller(*, ip: str, headers: dict[str, str]) -> User | None:
    """The account `local`, if this installation has the loopback rule on and the request obeys it."""
    if not settings.LOCAL_ACCOUNT or not is_local_call(ip=ip, headers=headers):
        return None
    return local_account()
