"""The one door for values from trading processes: each batch is counted once and wholly, or not at all."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import IntegrityError, transaction
from psycopg.errors import CheckViolation

from monitoring.metrics import partitions, rollup, storing
from monitoring.metrics.batches import Batch, Fault, InvalidBatch, shown
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.checking import Change, Ident, change_of, check_values, ident_of, metric_of
from monitoring.metrics.hooks import after_batch
from monitoring.metrics.known import key_of, known_series, labels_of
from monitoring.metrics.retention import oldest_taken
from monitoring.metrics.sources import CLIENT as CONSOLE

__all__ = ["NothingUsable", "Result", "ingest", "key_of"]

log = logging.getLogger(__name__)

# How far a client's clock may be ahead.
AHEAD = timedelta(minutes=2)
# Label sets of one metric and client; what is new beyond that is counted as *other*.
MOST_LABEL_SETS = 1000
OTHER = "other"
TRIES = 3


@dataclass(frozen=True, slots=True)
class Result:
    """`rejected`: in the order of the batch. `repeated`: it was counted before, and this is the answer that it got."""

    accepted: int
    rejected: list[Fault]
    names: frozenset[str] = frozenset()
    repeated: bool = False


class NothingUsable(Exception):
    """Every series of the batch was rejected; nothing was stored."""

    def __init__(self, rejected: list[Fault]) -> None:
        super().__init__("Nothing in this batch is usable.")
        self.rejected = rejected


@dataclass(slots=True)
class _Sorted:
    """What a batch brings, and what of it cannot be taken."""

    changes: dict[Ident, Change] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    accepted: int = 0


def ingest(batch: Batch, *, now: datetime) -> Result:
    """Count a batch, and commit; then triggers look at it. Good series are counted even if others are bad; a batch that was counted changes nothing.

    Raises InvalidBatch, NothingUsable, and the database's errors: then nothing is counted, and the same batch may be sent again.
    """
    if batch.client == CONSOLE:
        raise InvalidBatch("client", f"must not be {CONSOLE!r}: that is the console itself")
    at = _time_of(batch, now=now)
    brought = _sort_out(batch)
    if not brought.changes:
        raise NothingUsable(brought.faults)
    result = _stored(batch, brought, at=at, now=now)
    if not result.repeated:
        after_batch(result.names, [batch.client], now)
    return result


def keep_own(values: Mapping[Ident, float], *, slot: str, now: datetime) -> int:
    """Gauges that the console itself knows. Returns how many were kept: all, or none where `slot` (a name of its own) was kept before."""
    if not values:
        return 0
    changes = {ident: Change(value, 1, value, value, value) for ident, value in values.items()}
    batch = Batch(batch_id=slot, client=CONSOLE, sent_at=now, series=[])
    result = _stored(batch, _Sorted(changes, accepted=len(changes)), at=now, now=now)
    return 0 if result.repeated else result.accepted


def keep_reported(changes: Mapping[Ident, Change], *, client: str, slot: str, now: datetime) -> None:
    """What the console counts for a client from its reports, in the caller's transaction. `slot`: a name of its own."""
    batch = Batch(batch_id=slot, client=client, sent_at=now, series=[])
    _stored(batch, _Sorted(dict(changes), accepted=len(changes)), at=now, now=now)


def _stored(batch: Batch, brought: _Sorted, *, at: datetime, now: datetime) -> Result:
    for left in reversed(range(TRIES)):
        try:
            return _store(batch, brought, at=at, now=now)
        except storing.SeriesVanished:
            known_series.forget(batch.client, brought.changes)
            if not left:
                raise
        except IntegrityError as error:
            # "No partition of relation …": it was dropped since this process saw it.
            if not left or not isinstance(error.__cause__, CheckViolation):
                raise
            partitions.forget()
    raise AssertionError("unreachable")


def _time_of(batch: Batch, *, now: datetime) -> datetime:
    if batch.sent_at > now + AHEAD:
        raise InvalidBatch(
            "sent_at",
            f"is in the future: it may be {AHEAD.seconds} s ahead of the console's clock, which says {now.isoformat(timespec='seconds')}",
        )
    if batch.sent_at < now - oldest_taken():
        raise InvalidBatch("sent_at", f"is too old: it may be {oldest_taken().days} days ago")
    return batch.sent_at.astimezone(UTC)


def _sort_out(batch: Batch) -> _Sorted:
    found = _Sorted(faults=list(batch.faults))
    changes, client, find = found.changes, batch.client, known_series.find
    for index, pushed in batch.series:
        try:
            metric = metric_of(pushed)
            ident = ident_of(pushed, metric)
            if ident not in changes and find(client, ident) is None:
                check_values(ident, metric)
            change = change_of(pushed, metric)
        except ValueError as error:
            found.faults.append(Fault(index, shown(pushed.name), str(error)))
            continue
        found.accepted += 1
        if (earlier := changes.get(ident)) is None:
            changes[ident] = change
        else:
            earlier.add(change)
    found.faults.sort()
    return found


def _store(batch: Batch, brought: _Sorted, *, at: datetime, now: datetime) -> Result:
    minute = at.replace(second=0, microsecond=0)
    partitions.ensure([minute])
    with transaction.atomic():
        earlier = storing.note_batch(
            batch.batch_id, client=batch.client, accepted=brought.accepted, rejected=brought.faults, now=now
        )
        if earlier is not None:
            return _answer_again(batch, earlier)
        if rollup.is_late(minute, now=now):
            rollup.note_late(minute)
        keys = _keys(batch.client, brought.changes, at=at, now=now)
        storing.add(_by_key(brought.changes, keys), at=at, minute=minute, now=now)
    known_series.remember(batch.client, keys)
    names = frozenset(ident.name for ident in brought.changes)
    return Result(brought.accepted, brought.faults, names)


def _answer_again(batch: Batch, earlier: storing.Stored) -> Result:
    if earlier.client != batch.client:
        raise InvalidBatch("batch_id", "another client has sent a batch with this id; ids must be unique")
    return Result(earlier.accepted, earlier.rejected, repeated=True)


def _by_key(changes: Mapping[Ident, Change], keys: Mapping[Ident, str]) -> dict[str, Change]:
    """In the order of the keys. Several series may share one: *other*."""
    merged: dict[str, Change] = {}
    shared: set[str] = set()
    for ident, change in changes.items():
        key = keys[ident]
        if key not in merged:
            merged[key] = change
        else:
            if key not in shared:
                # A copy, so that a second try finds each series' own change as it was.
                merged[key] = Change(**{name: getattr(merged[key], name) for name in Change.__slots__})
                shared.add(key)
            merged[key].add(change)
    return dict(sorted(merged.items()))


def _keys(client: str, changes: Mapping[Ident, Change], *, at: datetime, now: datetime) -> dict[Ident, str]:
    """The key of each of these series, all of which are in the database then."""
    keys: dict[Ident, str] = {}
    unknown: dict[Ident, str] = {}
    for ident in changes:
        if (key := known_series.find(client, ident)) is not None:
            keys[ident] = key
        else:
            unknown[ident] = str(key_of(ident.name, client, labels_of(ident)))
    if not unknown:
        return keys
    there = storing.existing(unknown.values())
    keys |= {ident: key for ident, key in unknown.items() if key in there}
    new = [ident for ident, key in unknown.items() if key not in there]
    if new:
        fitting = _within_bounds(client, new)
        added = {str(key_of(ident.name, client, labels_of(ident))): ident for ident in fitting.values()}
        storing.add_series(added, client=client, at=at, now=now)
        keys |= {ident: str(key_of(taken.name, client, labels_of(taken))) for ident, taken in fitting.items()}
    return keys


def _within_bounds(client: str, new: list[Ident]) -> dict[Ident, Ident]:
    """Each new series as it is counted: as it is while there is room, else with *other* for every label that may be any text."""
    counts = storing.count_series(client, {ident.name for ident in new})
    found = {}
    for ident in new:
        number = counts[ident.name] = counts.get(ident.name, 0) + 1
        found[ident] = ident if number <= MOST_LABEL_SETS else _other(ident)
        if number == MOST_LABEL_SETS + 1:
            log.warning(
                "%s of %s has more than %d label sets; what is new is counted as other",
                ident.name,
                client,
                MOST_LABEL_SETS,
            )
    return found


def _other(ident: Ident) -> Ident:
    metric = CATALOGUE[ident.name]
    pairs = zip(metric.labels, ident.values, strict=True)
    return Ident(ident.name, tuple(value if name in metric.choices else OTHER for name, value in pairs))
