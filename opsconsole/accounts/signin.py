"""Signing in: recorded, and slowed down after failures.

Failures are counted for an account *from one address*, and for an address as a whole; so a stranger elsewhere can guess slowly, but cannot lock an
operator out by failing in the operator's name.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from opsconsole.accounts.models import SignInThrottle, User
from opsconsole.audit.actor import Actor
from opsconsole.audit.choices import ActorKind
from opsconsole.audit.services import record

# Failures in a row before waiting begins, and the longest wait. The wait doubles from one second with each failure beyond.
PAIR_FREE = 5
ADDRESS_FREE = 20
LONGEST_WAIT = timedelta(minutes=15)
# After so long without a failure the count starts again.
FORGET_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SignInCheck:
    """Whether the password may be tried now, and else in how many seconds."""

    allowed: bool
    wait_s: int


def sign_in_allowed(*, username: str, ip: str, now: datetime | None = None) -> SignInCheck:
    """Ask before the password is looked at."""
    now = now or timezone.now()
    blocked = SignInThrottle.objects.filter(key__in=_keys(username, ip), blocked_until__gt=now)
    until = blocked.aggregate(until=Max("blocked_until"))["until"]
    if until is None:
        return SignInCheck(allowed=True, wait_s=0)
    return SignInCheck(allowed=False, wait_s=max(1, int((until - now).total_seconds() + 0.999)))


@transaction.atomic
def record_failed_sign_in(
    *, username: str, ip: str, request_id: str = "", now: datetime | None = None
) -> None:
    """Count a wrong password. A name that no account has is not written down: people type passwords there."""
    now = now or timezone.now()
    for key, free in zip(_keys(username, ip), (PAIR_FREE, ADDRESS_FREE), strict=True):
        _count(key, free=free, now=now)
    user = User.objects.filter(username=username).first()
    actor = Actor(
        kind=ActorKind.USER,
        name=user.username if user else "unknown account",
        ip=ip or None,
        request_id=request_id,
    )
    record(actor=actor, action="accounts.sign_in_failed", obj=user, reason="", now=now)


@transaction.atomic
def record_sign_in(*, user: User, actor: Actor, now: datetime | None = None) -> None:
    """Note a sign-in; the account's failures from this address are forgotten."""
    SignInThrottle.objects.filter(key=_keys(user.username, actor.ip or "")[0]).delete()
    record(actor=actor, action="accounts.signed_in", obj=user, reason="", now=now)


@transaction.atomic
def record_sign_out(*, user: User, actor: Actor, now: datetime | None = None) -> None:
    record(actor=actor, action="accounts.signed_out", obj=user, reason="", now=now)


def _keys(username: str, ip: str) -> tuple[str, str]:
    pair = hashlib.sha256(f"{ip}\n{username.casefold()}".encode("utf-8", "surrogatepass")).hexdigest()
    return f"pair:{pair}", f"ip:{ip}"


def _count(key: str, *, free: int, now: datetime) -> None:
    SignInThrottle.objects.get_or_create(key=key, defaults={"failed_at": now})
    row = SignInThrottle.objects.select_for_update().get(key=key)
    row.failures = 1 if row.failed_at < now - FORGET_AFTER else row.failures + 1
    row.failed_at = now
    over = row.failures - free
    row.blocked_until = None if over < 0 else now + min(LONGEST_WAIT, timedelta(seconds=2 ** min(over, 20)))
    row.save(update_fields=["failures", "failed_at", "blocked_until"])
