"""The one door for results: status, history, days, audit trail, alerts and announcement, in one transaction."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from monitoring.health import alarms, days
from monitoring.health.checks.base import Result
from monitoring.health.choices import Kind, Status
from monitoring.health.days import Stretch
from monitoring.health.models import MESSAGE, HealthChange, HealthComponent
from monitoring.health.state import Rule, Standing, in_doubt, judge
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.storable import storable_json, storable_text
from opsconsole.live.publish import publish

ACTOR = Actor.system("health")
# The columns that a result changes, with their types.
WRITTEN = {
    "id": "bigint",
    "status": "text",
    "since": "timestamptz",
    "well": "smallint",
    "up": "smallint",
    "result": "text",
    "message": "text",
    "response_ms": "float8",
    "metadata": "jsonb",
    "checked_at": "timestamptz",
    "ran_on": "text",
    "due_at": "timestamptz",
    "claim": "uuid",
    "claimed_until": "timestamptz",
    "told": "text",
    "summed_until": "timestamptz",
}
# All in one statement: Django's own takes several times as long to build.
WRITE = (
    "UPDATE monitoring_healthcomponent c SET "  # noqa: S608  no input in it
    + ", ".join(f"{name} = u.{name}" for name in WRITTEN if name != "id")
    + f" FROM unnest({', '.join(f'%s::{kind}[]' for kind in WRITTEN.values())}) AS u ({', '.join(WRITTEN)})"
    + " WHERE c.id = u.id"
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one claim. `host`: where it ran."""

    component_id: int
    claim: UUID
    result: Result
    host: str


@transaction.atomic
def store(*, outcomes: Sequence[Outcome], now: datetime) -> list[HealthChange]:
    """Store them; the changes of status that they made. One whose claim is not the component's any more is dropped: another has looked since."""
    by_id = {outcome.component_id: outcome for outcome in outcomes}
    rows = HealthComponent.objects.select_for_update(no_key=True).filter(pk__in=by_id).order_by("pk")
    mine = [row for row in rows if row.claim == by_id[row.pk].claim]
    changes: list[HealthChange] = []
    stretches: list[Stretch] = []
    for row in mine:
        made, spent = _take(row, by_id[row.pk], now)
        changes += made
        stretches += spent
    days.add(stretches)
    said = alarms.tell(mine, now=now)
    HealthChange.objects.bulk_create(changes)
    _audit(mine, changes)
    if mine:
        _write(mine)
    if changes or said:
        publish("health", ids=tuple(sorted({change.component_id for change in changes})))
    else:
        _at_leisure()
    return changes


@transaction.atomic
def note_outage(*, seconds: float, now: datetime) -> bool:
    """The database has not answered for so long, until now: afterwards, since nothing could be stored meanwhile. Returns whether it was noted.

    An outage that a check could have missed is none, nor one during which somebody else has looked.
    """
    row = (
        HealthComponent.objects.select_for_update(no_key=True)
        .filter(kind=Kind.DATABASE, enabled=True)
        .first()
    )
    since = now - timedelta(seconds=seconds)
    if row is None or seconds < row.failures * row.interval_seconds:
        return False
    if row.checked_at is not None and row.checked_at > since:
        return False
    message = f"It did not answer for {seconds:,.0f} s"
    stretches = _stretches(row, since)
    changes = _lapsed(row, since)
    if row.status != Status.UNHEALTHY:
        changes.append(_change(row, Status(row.status), Status.UNHEALTHY, at=since, message=message))
    row.result, row.message, row.response_ms = Status.UNHEALTHY, message, None
    row.well = row.up = -row.failures
    row.checked_at = row.summed_until = row.due_at = now
    row.claim = row.claimed_until = None
    days.add([*stretches, Stretch(row.pk, Status.UNHEALTHY, since, now)])
    alarms.tell([row], now=now)
    HealthChange.objects.bulk_create(changes)
    _audit([row], changes)
    _write([row])
    publish("health", ids=(row.pk,))
    return True


def _take(row: HealthComponent, outcome: Outcome, now: datetime) -> tuple[list[HealthChange], list[Stretch]]:
    """Put the result into the row."""
    stretches = _stretches(row, now)
    changes = _lapsed(row, now)
    before = Status(row.status)
    result, rule = outcome.result, Rule(row.failures, row.recoveries)
    standing = judge(Standing(before, row.well, row.up), result.status, rule)
    if standing.status != before:
        changes.append(_change(row, before, standing.status, at=now, message=result.message))
    row.well, row.up = standing.well, standing.up
    row.result, row.message = result.status, storable_text(result.message, length=MESSAGE)
    row.response_ms, row.metadata = result.response_ms, storable_json(dict(result.metadata))
    row.checked_at, row.ran_on = now, outcome.host
    row.claim = row.claimed_until = None
    row.summed_until = now
    if in_doubt(standing, result.status):
        # One more look decides sooner whether it was a single lost check.
        row.due_at = min(row.due_at, now + timedelta(seconds=row.interval_seconds) / 2)
    return changes, stretches


def _lapsed(row: HealthComponent, now: datetime) -> list[HealthChange]:
    """If nobody has looked for three intervals, nothing was known since: the history says so afterwards, and judging begins anew."""
    until = row.good_until()
    if until is None or until >= now or row.status == Status.UNKNOWN:
        return []
    message = "Nobody has looked at it for three intervals"
    change = _change(row, Status(row.status), Status.UNKNOWN, at=until, message=message)
    row.well = row.up = 0
    return [change]


def _change(
    row: HealthComponent, before: Status, after: Status, *, at: datetime, message: str
) -> HealthChange:
    lasted = (at - row.since).total_seconds() if row.since else None
    row.status, row.since = after, at
    return HealthChange(
        component=row,
        at=at,
        before=before,
        after=after,
        message=storable_text(message, length=MESSAGE),
        lasted_seconds=lasted,
    )


def _stretches(row: HealthComponent, now: datetime) -> list[Stretch]:
    """What has passed since the days were summed up last: in the status that was, as long as its result counted; then unknown."""
    start, until = row.summed_until, row.good_until()
    if start is None or until is None or now <= start:
        return []
    lapsed = min(max(until, start), now)
    found = [
        Stretch(row.pk, Status(row.status), start, lapsed),
        Stretch(row.pk, Status.UNKNOWN, lapsed, now),
    ]
    return [stretch for stretch in found if stretch.end > stretch.start]


def _audit(rows: Sequence[HealthComponent], changes: Sequence[HealthChange]) -> None:
    """All but what is found healthy at the first look ever: two hundred processes that connect would fill the trail with it."""
    components: Mapping[int, HealthComponent] = {row.pk: row for row in rows}
    for change in changes:
        if change.lasted_seconds is None and change.after == Status.HEALTHY:
            continue
        record(
            actor=ACTOR,
            action="health.changed",
            obj=components[change.component_id],
            reason=change.message,
            before={"status": change.before},
            after={"status": change.after},
            now=change.at,
        )


def _write(rows: Sequence[HealthComponent]) -> None:
    values = [[_column(row, name) for name in WRITTEN] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(WRITE, [list(column) for column in zip(*values, strict=True)])


def _column(row: HealthComponent, name: str) -> Any:
    value = getattr(row, name)
    return json.dumps(value) if name == "metadata" else value


def _at_leisure() -> None:
    """Nothing has happened, so the commit need not wait for the disk."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit TO off")
