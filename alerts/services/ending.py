"""What happens to alerts by itself: an end that has come, the end of a flapping alert's window, the end of quiet hours.

Each is done once, however many beats there are: under `lock_decisions()`, in one transaction with what is told of it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from alerts import halts
from alerts.choices import AlertState, Decision, Priority
from alerts.decision import FLAPPING, RuleState
from alerts.labels import seen_labels
from alerts.locking import lock_decisions
from alerts.models import Alert, Channel, ResponseTime
from alerts.policy import rules_now
from alerts.response import due
from alerts.routing import takes
from alerts.services import outbox, storing
from alerts.services.raising import finish, open_batch
from alerts.silence_index import open_silences
from opsconsole.live.publish import publish

# In one transaction, so that raising never waits long for it.
TOGETHER = 500
# Lines of a digest; the most urgent, and of these the newest.
LINES = 30
PUBLISHED = 50


def end_expired(*, now: datetime) -> int:
    """Resolve what was not raised again before its `ends_at`. Returns how many."""
    return _in_turns(_ended(now), lambda ids: _end(ids, now))


def decide_untold(*, now: datetime) -> int:
    """Decide again what still fires, came back so often that it was taken for a duplicate, and whose window is over. Returns how many.

    Otherwise nobody would know of an alert that was told as resolved and came back for good.
    """
    return _in_turns(_untold(now), lambda ids: _again(ids, now))


def release_held(*, now: datetime) -> int:
    """Tell in one digest per channel what quiet hours that are over have held back. Returns how many alerts were released."""
    held = Alert.objects.filter(held=True)
    if not held.exists():
        return 0
    with transaction.atomic():
        lock_decisions()
        rules = [rule for rule in rules_now().values() if rule.quiet(now).until is None]
        released = list(held.filter(category__in=[rule.category for rule in rules]).order_by("pk"))
        if not released:
            return 0
        firing = _to_tell(released, rules, now)
        resolved = sum(alert.state == AlertState.RESOLVED for alert in released)
        _put_digests(firing, resolved, now)
        _note_told(firing, now)
        Alert.objects.filter(pk__in=[alert.pk for alert in released]).update(held=False)
        publish("alerts", ids=tuple(alert.pk for alert in released[:PUBLISHED]))
    return len(released)


def _in_turns(wanted: QuerySet[Alert], act: Callable[[list[int]], None]) -> int:
    """Take what is wanted, a few hundred in each transaction. Asks without the lock first: mostly there is nothing."""
    done = 0
    while wanted.exists():
        with transaction.atomic():
            lock_decisions()
            ids = list(wanted.order_by("pk").values_list("pk", flat=True)[:TOGETHER])
            act(ids)
        done += len(ids)
    return done


def _ended(now: datetime) -> QuerySet[Alert]:
    return Alert.objects.filter(state=AlertState.FIRING, ends_at__lte=now)


def _untold(now: datetime) -> QuerySet[Alert]:
    return Alert.objects.filter(
        state=AlertState.FIRING,
        decision=Decision.DEDUPED,
        sent_at=None,
        flaps__gte=FLAPPING,
        dedupe_until__lte=now,
    )


def _end(ids: Sequence[int], now: datetime) -> None:
    incidents = storing.load_by_id(ids)
    batch = open_batch(
        raised_by="", open_incidents={one.fingerprint: one for one in incidents}, stops=(), now=now
    )
    for incident in incidents:
        batch.end(incident, at=incident.ends_at or now, by="")
    finish(batch)


def _again(ids: Sequence[int], now: datetime) -> None:
    incidents = storing.load_by_id(ids)
    labels = dict(Alert.objects.filter(pk__in=ids).values_list("pk", "labels"))
    stops = halts.current() if any(map(halts.is_asked, labels.values())) else ()
    batch = open_batch(
        raised_by="", open_incidents={one.fingerprint: one for one in incidents}, stops=stops, now=now
    )
    for incident in incidents:
        batch.again(incident, labels[incident.id])
    finish(batch)


def _to_tell(released: Sequence[Alert], rules: Sequence[RuleState], now: datetime) -> list[Alert]:
    """Those that still fire, unless somebody has silenced them or switched their rule off meanwhile."""
    silences = open_silences(at=now)
    enabled = {rule.category for rule in rules if rule.enabled}
    return [
        alert
        for alert in released
        if alert.state == AlertState.FIRING
        and alert.category in enabled
        and not silences.covering(
            seen_labels(category=alert.category, title=alert.title, labels=alert.labels), at=now
        )
    ]


def _put_digests(firing: Sequence[Alert], resolved: int, now: datetime) -> None:
    if not firing:
        return
    for channel in Channel.objects.filter(enabled=True, escalation=0).order_by("pk"):
        told = [alert for alert in firing if takes(channel, alert)]
        if told:
            told.sort(key=lambda alert: (Priority(alert.priority).rank, alert.last_at), reverse=True)
            outbox.put_digest(
                channel=channel,
                content=_content(told, resolved),
                now=now,
                priority=Priority(told[0].priority),
            )


def _content(told: Sequence[Alert], resolved: int) -> dict[str, object]:
    """As `alerts.channels.compose` has it."""
    return {
        "reason": "quiet_hours",
        "total": len(told),
        "resolved": resolved,
        "by_category": dict(Counter(alert.category for alert in told)),
        "lines": [
            {
                "alert": alert.pk,
                "priority": alert.priority,
                "category": alert.category,
                "title": alert.title,
                "count": alert.count,
                "at": alert.last_at.isoformat(),
            }
            for alert in told[:LINES]
        ],
    }


def _note_told(firing: Sequence[Alert], now: datetime) -> None:
    """They count as told from now on: repeats are duplicates of the digest, and somebody must own them."""
    told = Alert.objects.filter(pk__in=[alert.pk for alert in firing])
    told.update(last_sent_at=now, settled_until=None)
    times = {row.priority: row for row in ResponseTime.objects.all()}
    for priority in Priority.values:
        due_at, escalate_at = due(priority, raised_at=now, times=times)
        unowned = told.filter(due_at=None, acknowledged_at=None, priority=priority)
        unowned.update(due_at=due_at, escalate_at=escalate_at)
