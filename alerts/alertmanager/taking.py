"""From what Prometheus posts to what the engine decides."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from alerts.alertmanager.contract import Labels, PostedAlert, SoundAlert, sound_alert
from alerts.alertmanager.times import read_time
from alerts.fingerprint import identity_of_labels
from alerts.labels import UNNAMED, LabelMapping, mapping
from alerts.services.raised import RaisedAlert, check
from alerts.services.raising import raise_alerts
from opsconsole.audit.actor import Actor

PROMETHEUS = "prometheus"
# Alerts of one transaction.
MOST_AT_ONCE = 1000


def raised(alert: SoundAlert, *, meanings: LabelMapping, source: str, now: datetime) -> RaisedAlert:
    """`alert` for the engine: its labels alone say which incident it is. Raises ValueError beyond the limits of `alerts.limits`."""
    found = as_raised(
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=alert.starts_at,
        ends_at=alert.ends_at,
        generator_url=alert.generator_url,
        meanings=meanings,
        source=source,
        now=now,
    )
    check(found)
    return found


def as_raised(
    *,
    labels: Labels,
    annotations: Labels,
    starts_at: datetime,
    ends_at: datetime | None,
    generator_url: str,
    meanings: LabelMapping,
    source: str,
    now: datetime,
) -> RaisedAlert:
    """The same for one that is known to be sound and within the limits."""
    meaning = meanings.meaning(labels)
    return RaisedAlert(
        category=meaning.category,
        priority=meaning.priority,
        title=labels.get("alertname", UNNAMED),
        message=annotations.get("description")
        or annotations.get("message")
        or annotations.get("summary")
        or "",
        labels=labels,
        annotations=annotations,
        source=source,
        starts_at=starts_at,
        ends_at=ends_at,
        generator_url=generator_url,
        resolved=ends_at is not None and ends_at <= now,
        identity=identity_of_labels(labels),
    )


def sound_alerts(posted: Iterable[PostedAlert], *, now: datetime) -> tuple[list[SoundAlert], list[str]]:
    """Those that may be stored, and what is wrong with the others."""
    sound, problems = [], []
    for alert in posted:
        try:
            sound.append(
                sound_alert(
                    labels=alert.labels or {},
                    annotations=alert.annotations or {},
                    starts_at=read_time(alert.starts_at),
                    ends_at=read_time(alert.ends_at),
                    generator_url=alert.generator_url or "",
                    now=now,
                )
            )
        except ValueError as error:
            problems.append(str(error))
    return sound, problems


def take(alerts: Sequence[SoundAlert], *, actor: Actor, source: str = PROMETHEUS, now: datetime) -> list[str]:
    """Store and decide what can be taken. Returns what is wrong with the rest."""
    meanings = mapping()
    taken, problems = [], []
    for alert in alerts:
        try:
            taken.append(raised(alert, meanings=meanings, source=source, now=now))
        except ValueError as error:
            problems.append(str(error))
    for start in range(0, len(taken), MOST_AT_ONCE):
        raise_alerts(actor=actor, alerts=taken[start : start + MOST_AT_ONCE], now=now)
    return problems
