"""The door for silences. Their ids follow Alertmanager's rules: a change that would rewrite the past makes a new silence."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.utils import timezone

from alerts.limits import check_line, check_text
from alerts.locking import bump_policy, lock_decisions
from alerts.matching import Matcher
from alerts.models import Silence
from alerts.silence_index import open_silences
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.live.publish import publish

LONGEST_NAME = 150
LONGEST_COMMENT = 2000
MOST_MATCHERS = 50
# Nobody remembers what a silence was for when its end is further away.
FURTHEST_END = timedelta(days=365)


class UnknownSilence(Exception):
    """There is no silence with this id."""


class SilenceOver(Exception):
    """It has ended, so that a later end would begin it anew."""


class EndChanged(Exception):
    """It does not end any more when its changer saw it end."""


@transaction.atomic
def create(
    *,
    actor: Actor,
    matchers: Sequence[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    created_by: str | None = None,
    owner_id: int | None = None,
    annotations: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Silence:
    """A new silence; a start that has passed becomes now. `created_by` None: the actor's name; `owner_id` None: the actor's account.

    Raises ValueError, naming the field: no matcher, only matchers that match the empty text (it would silence everything), an end
    that has passed or does not lie after the start, or a text that is too long.
    """
    now = now or timezone.now()
    author = actor.name if created_by is None else created_by
    _check(matchers, starts_at, ends_at, comment, author, now)
    lock_decisions()
    silence = Silence.objects.create(
        id=uuid4(),
        matchers=[matcher.as_json() for matcher in matchers],
        starts_at=max(starts_at, now),
        ends_at=ends_at,
        created_by=author,
        comment=comment,
        annotations=dict(annotations or {}),
        owner_id=actor.user_id if owner_id is None else owner_id,
        created_at=now,
        updated_at=now,
    )
    _announce(actor, "alerts.silence_created", silence, reason=comment, before=None, now=now)
    return silence


@transaction.atomic
def update(
    *,
    actor: Actor,
    silence_id: UUID,
    matchers: Sequence[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    created_by: str | None = None,
    annotations: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> Silence:
    """The silence with these values: the same one where that changes nothing of what it did so far, else a new one in its place.

    It stays the same one if its matchers stay, and: it is active and starts in the same second as before, or it is still to come and
    does not start in the past. Otherwise it is expired and a new one made. Raises UnknownSilence, and ValueError as `create()`.
    """
    now = now or timezone.now()
    lock_decisions()
    silence = _locked(silence_id)
    author = silence.created_by if created_by is None else created_by
    _check(matchers, starts_at, ends_at, comment, author, now)
    wanted = [matcher.as_json() for matcher in matchers]
    if not _stays(silence, wanted, starts_at, now):
        owner_id = silence.owner_id
        if silence.ends_at > now:
            _expire(actor, silence, reason="Replaced by a silence with other values", now=now)
        return create(
            actor=actor,
            matchers=matchers,
            starts_at=starts_at,
            ends_at=ends_at,
            comment=comment,
            created_by=author,
            owner_id=owner_id,
            annotations=silence.annotations if annotations is None else annotations,
            now=now,
        )
    before = _facts(silence)
    if silence.starts_at > now:
        silence.starts_at = starts_at
    silence.ends_at, silence.comment, silence.created_by = ends_at, comment, author
    if annotations is not None:
        silence.annotations = dict(annotations)
    if _facts(silence) == before:
        return silence
    silence.updated_at = now
    silence.save()
    _announce(actor, "alerts.silence_updated", silence, reason=comment, before=before, now=now)
    return silence


@transaction.atomic
def change_end(
    *,
    actor: Actor,
    silence_id: UUID,
    ends_at: datetime,
    was: datetime,
    reason: str,
    now: datetime | None = None,
) -> bool:
    """Let a silence that is active or to come end later, or sooner; it keeps its id and everything else. Returns whether that changed anything.

    `was`: the end that the changer saw. Raises UnknownSilence, SilenceOver, EndChanged, and ValueError, naming the field: an end that has
    passed, does not lie after the start, or is further away than FURTHEST_END, or a reason that is empty or too long.
    """
    now = now or timezone.now()
    check_text("reason:", reason, longest=LONGEST_COMMENT)
    if not reason.strip():
        raise ValueError("reason: must not be empty")
    lock_decisions()
    silence = _locked(silence_id)
    if silence.ends_at <= now:
        raise SilenceOver("It is over.")
    if silence.ends_at != was:
        raise EndChanged("Somebody changed its end meanwhile.")
    _check_end(silence.starts_at, ends_at, now)
    if ends_at > now + FURTHEST_END:
        raise ValueError(f"ends_at: the end can't be more than {FURTHEST_END.days} days away")
    if silence.ends_at == ends_at:
        return False
    before = _facts(silence)
    silence.ends_at, silence.updated_at = ends_at, now
    silence.save(update_fields=["ends_at", "updated_at"])
    _announce(actor, "alerts.silence_updated", silence, reason=reason, before=before, now=now)
    return True


@transaction.atomic
def expire(*, actor: Actor, silence_id: UUID, reason: str, now: datetime | None = None) -> bool:
    """End a silence now. Returns whether it was active or to come until now. Raises UnknownSilence."""
    now = now or timezone.now()
    lock_decisions()
    silence = _locked(silence_id)
    if silence.ends_at <= now:
        return False
    _expire(actor, silence, reason=reason, now=now)
    return True


def _locked(silence_id: UUID) -> Silence:
    silence = Silence.objects.select_for_update().filter(pk=silence_id).first()
    if silence is None:
        raise UnknownSilence(f"There is no silence {silence_id}.")
    return silence


def _expire(actor: Actor, silence: Silence, *, reason: str, now: datetime) -> None:
    before = _facts(silence)
    # One that is still to come never was: it ends where it starts.
    silence.starts_at, silence.ends_at, silence.updated_at = min(silence.starts_at, now), now, now
    silence.save(update_fields=["starts_at", "ends_at", "updated_at"])
    _announce(actor, "alerts.silence_expired", silence, reason=reason, before=before, now=now)


def _stays(silence: Silence, wanted: list[dict[str, Any]], starts_at: datetime, now: datetime) -> bool:
    if silence.ends_at <= now or _sorted(silence.matchers) != _sorted(wanted):
        return False
    if silence.starts_at <= now:
        return int(silence.starts_at.timestamp()) == int(starts_at.timestamp())
    return starts_at >= now


def _sorted(matchers: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return sorted((m["name"], m["value"], m["isRegex"], m["isEqual"]) for m in matchers)


def _check(
    matchers: Sequence[Matcher],
    starts_at: datetime,
    ends_at: datetime,
    comment: str,
    author: str,
    now: datetime,
) -> None:
    if not 1 <= len(matchers) <= MOST_MATCHERS:
        raise ValueError(f"matchers: a silence needs 1 to {MOST_MATCHERS} of them")
    if all(matcher.matches({}) for matcher in matchers if matcher.is_equal) and all(
        matcher.is_equal for matcher in matchers
    ):
        raise ValueError("matchers: at least one matcher must not match the empty string")
    _check_end(starts_at, ends_at, now)
    check_line("created_by:", author, longest=LONGEST_NAME)
    check_text("comment:", comment, longest=LONGEST_COMMENT)


def _check_end(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if starts_at >= ends_at:
        raise ValueError("ends_at: the end must lie after the start")
    if ends_at <= now:
        raise ValueError("ends_at: the end can't be in the past")


def _announce(
    actor: Actor, action: str, silence: Silence, *, reason: str, before: dict[str, Any] | None, now: datetime
) -> None:
    bump_policy()
    record(
        actor=actor, action=action, obj=silence, reason=reason, before=before, after=_facts(silence), now=now
    )
    publish("silences", ids=(str(silence.pk),))
    # So that, where many are made, whoever decides or lists next finds them compiled.
    transaction.on_commit(lambda: open_silences(at=now), robust=True)


def _facts(silence: Silence) -> dict[str, Any]:
    return {
        "matchers": silence.matchers,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "created_by": silence.created_by,
        "comment": silence.comment,
        "annotations": silence.annotations,
    }
