"""Who is behind a request, as the audit trail names them."""

from django.http import HttpRequest
from rest_framework.request import Request

from opsconsole.accounts.models import ApiToken, User
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind


def actor_of(request: HttpRequest | Request) -> Actor:
    """The signed-in account of a Django or DRF request. RuntimeError when nobody is signed in."""
    user = request.user
    if not isinstance(user, User):
        raise RuntimeError("actor_of() needs a request of a signed-in account")
    token = getattr(request, "auth", None)
    return actor_of_account(
        user=user,
        token=token if isinstance(token, ApiToken) else None,
        ip=request.META.get("REMOTE_ADDR"),
        request_id=getattr(request, "request_id", ""),
    )


def actor_of_account(*, user: User, token: ApiToken | None, ip: str | None, request_id: str = "") -> Actor:
    """The account, or the token it acts through: `dana` or `trader via desk-3`."""
    if token is not None:
        return Actor(
            kind=ActorKind.TOKEN,
            name=f"{user.username} via {token.name}",
            user_id=user.pk,
            ip=ip or None,
            request_id=request_id,
        )
    return Actor(
        kind=ActorKind.USER, name=user.display_name, user_id=user.pk, ip=ip or None, request_id=request_id
    )
