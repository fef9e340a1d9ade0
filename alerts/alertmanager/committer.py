"""Records what POSTs bring: those that wait together in one transaction, answered after its commit."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from alerts.alertmanager.contract import sound_alert
from alerts.alertmanager.known import Known, KnownAlerts
from alerts.alertmanager.parcels import Fresh, Parcel, Repeated
from alerts.alertmanager.taking import PROMETHEUS, raised
from alerts.choices import AlertState
from alerts.labels import LabelMapping, mapping
from alerts.locking import lock_decisions
from alerts.services.raised import Outcome, RaisedAlert
from alerts.services.raising import decide_alerts
from alerts.services.repeats import Repeat, count_repeats
from opsconsole.audit.actor import Actor
from opsconsole.live.database import in_database
from opsconsole.pool import WorkerPool

log = logging.getLogger(__name__)

# Alerts of one commit (a larger request still goes as a whole), and those that may wait.
AT_ONCE = 1500
MOST_WAITING = 50_000


class LineFull(Exception):
    """More alerts wait than may."""


class Committer:
    """Lives on the event loop; one thread with its own connection commits, so that what arrives meanwhile goes together."""

    def __init__(self, known: KnownAlerts) -> None:
        self._known = known
        self._pool = WorkerPool("alerts", threads=1, waiting=1)
        self._line: list[tuple[Parcel, asyncio.Future[list[str]]]] = []
        self._waiting = 0
        self._task: asyncio.Task[None] | None = None

    async def take(self, parcel: Parcel) -> list[str]:
        """Returns after the commit, with what is wrong with alerts that were not taken. Raises LineFull, and what the database raises."""
        if self._waiting and self._waiting + parcel.size > MOST_WAITING:
            raise LineFull
        answer: asyncio.Future[list[str]] = asyncio.get_running_loop().create_future()
        self._line.append((parcel, answer))
        self._waiting += parcel.size
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())
        return await answer

    async def close(self, *, grace: float) -> None:
        """Commit what waits, for at most `grace` seconds."""
        if self._task is not None and not self._task.done():
            await asyncio.wait([self._task], timeout=grace)
        await self._pool.close(grace=0)

    async def _work(self) -> None:
        while self._line:
            batch = self._next()
            await self._commit(batch)
            self._waiting -= sum(parcel.size for parcel, _ in batch)

    def _next(self) -> list[tuple[Parcel, asyncio.Future[list[str]]]]:
        size, end = 0, 0
        for parcel, _ in self._line:
            size += parcel.size
            if end and size > AT_ONCE:
                break
            end += 1
        batch, self._line = self._line[:end], self._line[end:]
        return batch

    async def _commit(self, batch: Sequence[tuple[Parcel, asyncio.Future[list[str]]]]) -> None:
        try:
            answers = await self._in_thread([parcel for parcel, _ in batch])
        except Exception as error:
            if len(batch) > 1:
                # Perhaps one of them is to blame: the others shall not suffer.
                log.warning(
                    "Recording %d posts of alerts together failed: %s", len(batch), type(error).__name__
                )
                for one in batch:
                    await self._commit([one])
                return
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for (_, answer), problems in zip(batch, answers, strict=True):
            if not answer.done():
                answer.set_result(problems)

    def _in_thread(self, parcels: list[Parcel]) -> asyncio.Future[list[list[str]]]:
        return self._pool.submit(in_database(lambda: record(parcels, self._known)))


@dataclass(slots=True)
class _Work:
    """What one transaction has to decide, by who brought it, and what is told to whom."""

    meanings: LabelMapping | None = None
    alerts: dict[Actor, list[tuple[bytes, RaisedAlert]]] = field(default_factory=dict)
    problems: list[list[str]] = field(default_factory=list)


def record(parcels: Sequence[Parcel], known: KnownAlerts, *, now: datetime | None = None) -> list[list[str]]:
    """Count and decide all of it in one transaction. Returns for each parcel what is wrong with alerts that were not taken."""
    now = now or timezone.now()
    repeats = _merged(parcels)
    outcomes: list[tuple[bytes, RaisedAlert, Outcome]] = []
    with transaction.atomic():
        lock_decisions()
        counted = count_repeats(repeats=_counts(repeats), at=now) if repeats else set()
        work = _sorted(parcels, counted, known, now)
        for actor, pairs in work.alerts.items():
            decided = decide_alerts(actor=actor, alerts=[alert for _, alert in pairs], now=now)
            outcomes += [(key, alert, one) for (key, alert), one in zip(pairs, decided, strict=True)]
    for key, alert, outcome in outcomes:
        _learn(known, key, alert, outcome)
    return work.problems


def _merged(parcels: Sequence[Parcel]) -> dict[int, Repeated]:
    merged: dict[int, Repeated] = {}
    for parcel in parcels:
        for alert_id, repeated in parcel.repeats.items():
            found = merged.get(alert_id)
            if found is None:
                merged[alert_id] = Repeated(
                    repeated.known, repeated.raw, repeated.key, repeated.count, repeated.ends_at
                )
            else:
                found.count += repeated.count
                found.ends_at = max(found.ends_at, repeated.ends_at)
    return merged


def _counts(repeats: dict[int, Repeated]) -> list[Repeat]:
    # Sorted, as every writer of several rows does it.
    return [
        Repeat(alert_id, repeats[alert_id].count, repeats[alert_id].ends_at) for alert_id in sorted(repeats)
    ]


def _sorted(parcels: Sequence[Parcel], counted: set[int], known: KnownAlerts, now: datetime) -> _Work:
    work = _Work()
    for parcel in parcels:
        work.problems.append([])
        for alert_id, repeated in parcel.repeats.items():
            if alert_id not in counted:
                known.drop(repeated.key)
                for _ in range(repeated.count):
                    _add(work, parcel, repeated.fresh(), now)
        for fresh in parcel.fresh:
            _add(work, parcel, fresh, now)
    return work


def _add(work: _Work, parcel: Parcel, fresh: Fresh, now: datetime) -> None:
    if work.meanings is None:
        work.meanings = mapping()
    try:
        sound = sound_alert(
            labels=fresh.labels,
            annotations=fresh.annotations,
            starts_at=fresh.starts_at,
            ends_at=fresh.ends_at,
            generator_url=fresh.generator_url,
            now=now,
        )
        alert = raised(sound, meanings=work.meanings, source=PROMETHEUS, now=now)
    except ValueError as error:
        work.problems[-1].append(str(error))
        return
    work.alerts.setdefault(parcel.actor, []).append((fresh.key, alert))


def _learn(known: KnownAlerts, key: bytes, alert: RaisedAlert, outcome: Outcome) -> None:
    if outcome.alert_id is not None and outcome.state == AlertState.FIRING and alert.starts_at is not None:
        known.add(key, Known(outcome.alert_id, alert.starts_at))
    else:
        known.drop(key)
