"""The one door for alerts: raised, decided in their order, stored, and put into the outbox, in one transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

import msgspec
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.utils import timezone

from alerts import fingerprint, halts, limits
from alerts.choices import DeliveryKind
from alerts.decision import FLAP_MEMORY
from alerts.locking import lock_decisions
from alerts.models import Alert, ResponseTime
from alerts.policy import policy_now
from alerts.services import outbox, storing
from alerts.services.counting import sent_in_hour
from alerts.services.deciding import Batch, Prepared
from alerts.services.incidents import Incident, Words
from alerts.services.raised import Outcome, RaisedAlert, check
from opsconsole.audit.actor import Actor
from opsconsole.audit.storable import storable_text
from opsconsole.live.publish import publish

# What is told of one incident in one batch comes in this order.
TELLING = (DeliveryKind.FIRING, DeliveryKind.REPEAT, DeliveryKind.RESOLVED)
PUBLISHED = 50

_json = msgspec.json.Encoder(enc_hook=DjangoJSONEncoder().default)


def raise_alerts(
    *, actor: Actor, alerts: Sequence[RaisedAlert], now: datetime | None = None
) -> list[Outcome]:
    """Decide these alerts, in their order and in one transaction; the outcomes are in the same order.

    Raises ValueError, naming the field (and which alert, if there are several): nothing is stored then. At most 1,000.
    """
    if len(alerts) > limits.BATCH:
        raise ValueError(f"alerts has {len(alerts)} entries; at most {limits.BATCH} are allowed.")
    for index, alert in enumerate(alerts):
        try:
            check(alert)
        except ValueError as error:
            raise ValueError(f"alerts[{index}].{error}" if len(alerts) > 1 else str(error)) from None
    with transaction.atomic():
        lock_decisions()
        # Not before the lock is there: alerts are decided in the order of their times.
        return decide_alerts(actor=actor, alerts=alerts, now=now or timezone.now())


def decide_alerts(*, actor: Actor, alerts: Sequence[RaisedAlert], now: datetime) -> list[Outcome]:
    """The same for alerts that are known to be sound, any number, in a transaction that holds `lock_decisions()`. RuntimeError outside of one."""
    if not connection.in_atomic_block:
        raise RuntimeError("decide_alerts() belongs in the transaction that holds the lock")
    if not alerts:
        return []
    items = [_prepared(alert) for alert in alerts]
    batch = _batch(actor, alerts, {item.fingerprint for item in items}, now)
    ids = storing.new_ids(len(items))
    outcomes = [batch.take(item, new_id=pk) for item, pk in zip(items, ids, strict=True)]
    finish(batch)
    return outcomes


def open_batch(
    *,
    raised_by: str,
    open_incidents: dict[UUID, Incident],
    stops: Sequence[halts.Halt],
    now: datetime,
    categories: Iterable[str] = (),
    earlier: dict[UUID, storing.Earlier] | None = None,
) -> Batch:
    """What decides now, around these incidents. `categories`: of alerts that may begin others."""
    touched = {*categories, *(incident.category for incident in open_incidents.values())}
    return Batch(
        at=now,
        raised_by=storable_text(raised_by, length=150),
        policy=policy_now(at=now),
        times={row.priority: row for row in ResponseTime.objects.all()},
        stops=stops,
        open_incidents=open_incidents,
        earlier=earlier or {},
        sent=sent_in_hour(touched, at=now),
    )


def finish(batch: Batch) -> None:
    """Write what the batch has changed, and what is to be told of it."""
    if not batch.incidents:
        return
    storing.store(batch.incidents.values(), full=batch.reached)
    batch.tallies.write(at=batch.at)
    _tell(batch)
    publish("alerts", ids=tuple(batch.incidents)[:PUBLISHED])


def _batch(actor: Actor, alerts: Sequence[RaisedAlert], fingerprints: set[UUID], now: datetime) -> Batch:
    wanted = sorted(fingerprints)
    open_incidents = storing.load_open(wanted)
    others = [known for known in wanted if known not in open_incidents]
    return open_batch(
        raised_by=actor.name,
        categories=(alert.category for alert in alerts),
        open_incidents=open_incidents,
        earlier=storing.load_earlier(others, since=now - FLAP_MEMORY) if others else {},
        stops=halts.current() if any(halts.is_asked(alert.labels) for alert in alerts) else (),
        now=now,
    )


def _tell(batch: Batch) -> None:
    if not batch.told:
        return
    rows = Alert.objects.in_bulk({pk for _, pk in batch.told})
    for kind in TELLING:
        if told := [rows[pk] for which, pk in batch.told if which == kind]:
            outbox.put(alerts=told, kind=kind, now=batch.at)


def _prepared(alert: RaisedAlert) -> Prepared:
    words = Words(
        title=alert.title,
        message=alert.message,
        labels=_text(alert.labels),
        annotations=_text(alert.annotations),
        details=_text(alert.details),
        generator_url=alert.generator_url,
    )
    known = alert.identity or fingerprint.identity(
        alert.category, alert.title, alert.labels, alert.dedupe_key
    )
    return Prepared(alert, known, words, fingerprint.content(*words))


def _text(value: object) -> str:
    return _json.encode(value).decode() if value else "{}"
