"""The door for accounts and their tokens. Sign-ins have theirs in `opsconsole.accounts.signin`."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.recent import recent_tokens
from opsconsole.accounts.roles import LOCAL_USERNAME, Role
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_text

TOKEN_MARK = "ops_"
# A used token's row is written at most so often.
LAST_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Administrator:
    """`password` and `api_token` are None unless this call made them."""

    username: str
    created: bool
    password: str | None
    api_token: str | None


@transaction.atomic
def create_token(
    *, actor: Actor, user: User, name: str, expires_at: datetime | None, now: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token, and its text, which nobody can read again later. ValueError: no name, or an expiry that lies in the past."""
    now = now or timezone.now()
    name = storable_text(name.strip(), length=64)
    if not name:
        raise ValueError("name: a token needs a name that says what it is for")
    if expires_at is not None and expires_at <= now:
        raise ValueError("expires_at: must lie in the future")
    raw = TOKEN_MARK + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        prefix=raw[:8],
        digest=_digest(raw),
        created_at=now,
        created_by=actor.name,
        expires_at=expires_at,
    )
    record(
        actor=actor,
        action="accounts.token_created",
        obj=token,
        reason="",
        after={"user": user.username, "expires_at": expires_at},
        now=now,
    )
    return token, raw


@transaction.atomic
def revoke_token(*, actor: Actor, token: ApiToken, reason: str, now: datetime | None = None) -> bool:
    """End a token for good. Returns whether it was valid until now."""
    now = now or timezone.now()
    locked = ApiToken.objects.select_for_update().get(pk=token.pk)
    if locked.revoked_at is not None:
        return False
    locked.revoked_at = now
    locked.save(update_fields=["revoked_at"])
    recent_tokens.drop(locked)
    record(
        actor=actor,
        action="accounts.token_revoked",
        obj=locked,
        reason=reason,
        before={"revoked_at": None},
        after={"revoked_at": now},
        now=now,
    )
    return True


@transaction.atomic
def create_service_account(*, actor: Actor, username: str, role: Role, now: datetime | None = None) -> User:
    """An account that never signs in. ValueError: the name is taken."""
    if User.objects.filter(username=username).exists():
        raise ValueError(f"username: {username} is taken")
    user = User(username=username, is_service=True)
    user.set_unusable_password()
    user.full_clean(exclude=["password"])
    user.save()
    user.groups.add(Group.objects.get(name=role))
    record(
        actor=actor,
        action="accounts.service_account_created",
        obj=user,
        reason="",
        after={"role": role},
        now=now,
    )
    return user


@transaction.atomic
def ensure_administrator(
    *,
    actor: Actor,
    username: str,
    token_name: str = "console",  # noqa: S107  it names the token
    new_token: bool = False,
    now: datetime | None = None,
) -> Administrator:
    """Make the first administrator with a password and a token. An account that exists keeps its password, whatever it is."""
    password: str | None = None
    user = User.objects.select_for_update().filter(username=username).first()
    if user is None:
        password = secrets.token_urlsafe(12)
        user = User.objects.create_superuser(username=username, password=password)
        record(actor=actor, action="accounts.administrator_created", obj=user, reason="", now=now)
    raw: str | None = None
    if password is not None or new_token:
        raw = create_token(actor=actor, user=user, name=token_name, expires_at=None, now=now)[1]
    return Administrator(
        username=user.username, created=password is not None, password=password, api_token=raw
    )


def authenticate_token(raw: str, *, now: datetime | None = None) -> ApiToken | None:
    """The valid token with this text, with its active account; None for any other text.

    The search is by the text's SHA-256, so its duration says nothing about the token. What was found counts for a few seconds
    (see `RecentTokens`); its expiry is looked at each time.
    """
    now = now or timezone.now()
    if not raw.startswith(TOKEN_MARK) or len(raw) > 100:
        return None
    digest = _digest(raw)
    token = recent_tokens.get(digest)
    if token is None:
        token = ApiToken.objects.select_related("user").filter(digest=digest, user__is_active=True).first()
        if token is None:
            return None
        recent_tokens.put(token)
    if not token.is_valid(now=now):
        return None
    if token.last_used_at is None or token.last_used_at < now - LAST_USED_EVERY:
        due = Q(last_used_at=None) | Q(last_used_at__lt=now - LAST_USED_EVERY)
        ApiToken.objects.filter(due, pk=token.pk).update(last_used_at=now)
        token.last_used_at = now
    return token


def local_account() -> User | None:
    """The account of the loopback rule, unless an administrator has switched it off."""
    return User.objects.filter(username=LOCAL_USERNAME, is_active=True, is_service=True).first()


def _digest(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
