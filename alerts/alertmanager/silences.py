"""Silences in Alertmanager's words."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alerts.alertmanager.contract import SoundSilence
from alerts.alertmanager.errors import handler_error
from alerts.alertmanager.filters import same_matchers
from alerts.alertmanager.times import time_text
from alerts.matching import Matcher, parse_matchers
from alerts.models import Silence
from alerts.services import silencing
from opsconsole.audit.actor import Actor

# Expired silences are listed for so long (Alertmanager's default); the console's own pages have the older ones.
RETENTION = timedelta(hours=120)


def state_of(silence: Silence, now: datetime) -> str:
    if silence.ends_at <= now:
        return "expired"
    return "pending" if silence.starts_at > now else "active"


def shown(silence: Silence, now: datetime) -> dict[str, Any]:
    return {
        "id": str(silence.pk),
        "status": {"state": state_of(silence, now)},
        "updatedAt": time_text(silence.updated_at),
        "comment": silence.comment,
        "createdBy": silence.created_by,
        "startsAt": time_text(silence.starts_at),
        "endsAt": time_text(silence.ends_at),
        "matchers": silence.matchers,
        "annotations": silence.annotations,
    }


def listed(
    filters: tuple[Matcher, ...], *, states: Mapping[str, bool], now: datetime
) -> list[dict[str, Any]]:
    """Active ones (the soonest end first), pending ones (the soonest start first), expired ones (the latest end first)."""
    kept = Silence.objects.filter(ends_at__gt=now - RETENTION)
    found = [one for one in kept if states[state_of(one, now)] and same_matchers(filters, one.matchers)]
    return [shown(one, now) for one in _sorted(found, now)]


def _sorted(silences: Iterable[Silence], now: datetime) -> list[Silence]:
    def place(silence: Silence) -> tuple[int, float]:
        match state_of(silence, now):
            case "active":
                return 0, silence.ends_at.timestamp()
            case "pending":
                return 1, silence.starts_at.timestamp()
        return 2, -silence.ends_at.timestamp()

    return sorted(silences, key=place)


def save(wanted: SoundSilence, *, actor: Actor, now: datetime) -> Silence:
    """Create it, or update the one with its id. Raises Refused (400, or 404 for an unknown id)."""
    starts_at = now if wanted.starts_at is None else wanted.starts_at
    if wanted.ends_at is None or starts_at >= wanted.ends_at:
        raise handler_error("Failed to create silence: start time must be before end time")
    if wanted.ends_at <= now:
        raise handler_error("Failed to create silence: end time can't be in the past")
    try:
        matchers = parse_matchers(wanted.matchers)
        values: dict[str, Any] = {
            "matchers": matchers,
            "starts_at": starts_at,
            "ends_at": wanted.ends_at,
            "comment": wanted.comment,
            "created_by": wanted.created_by,
            "annotations": wanted.annotations,
        }
        if not wanted.id:
            return silencing.create(actor=actor, now=now, **values)
        return silencing.update(actor=actor, silence_id=_known_id(wanted.id), now=now, **values)
    except ValueError as error:
        raise handler_error(f"silence invalid: {str(error).removeprefix('matchers: ')}") from None
    except silencing.UnknownSilence:
        raise handler_error("silence not found", status=404) from None


def _known_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise silencing.UnknownSilence(text) from None
