"""What processes are told of breakers: the stream's event `breakers`, and the answer to a report (docs/protocol.md)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from killswitch.locking import database_time
from monitoring.breakers.locking import COMMANDS, version_now
from monitoring.breakers.models import CircuitBreaker
from monitoring.breakers.selectors import held_of, shared_of
from monitoring.breakers.tuning import settings_of
from opsconsole.live.feeds import SideNews


class BreakerFeed:
    """All methods run in a pool thread, with Django's connections (opsconsole.live.feeds.SideFeed)."""

    event = "breakers"
    topics = frozenset({COMMANDS})

    def version(self) -> int:
        return version_now()

    def read(self, above: int | None) -> SideNews:
        version = version_now()
        rows = _rows(above=0, now=database_time())
        changes = None if above is None else [row for row in rows if row["version"] > above]
        return SideNews(
            version=version,
            whole=_event(version, rows, whole=True),
            changes=None if changes is None else _event(version, changes, whole=False),
        )


def changes_above(applied: int, *, now: datetime) -> tuple[int, Mapping[str, Any] | None]:
    """The newest version, and what a process that has applied `applied` is still to be told; None: nothing."""
    version = version_now()
    if version <= applied:
        return version, None
    return version, _event(version, _rows(above=applied, now=now), whole=applied == 0) | {"s": None}


def _event(version: int, rows: list[dict[str, Any]], *, whole: bool) -> dict[str, Any]:
    return {"version": version, "whole": whole, "breakers": rows}


def _rows(*, above: int, now: datetime) -> list[dict[str, Any]]:
    return [_row(one, now=now) for one in CircuitBreaker.objects.filter(version__gt=above).order_by("name")]


def _row(one: CircuitBreaker, *, now: datetime) -> dict[str, Any]:
    held, shared = held_of(one, now=now), shared_of(one)
    return {
        "name": one.name,
        "version": one.version,
        "config": settings_of(one) or None,
        "hold": held
        and {"state": held.state, "by": held.by, "reason": held.reason, "left_s": _left(held.until, now)},
        "reset": one.reset_version,
        "shared": shared
        and {"state": shared.state, "generation": shared.generation, "left_s": _left(shared.until, now)},
    }


def _left(until: datetime | None, now: datetime) -> float | None:
    return None if until is None else round(max(0.0, (until - now).total_seconds()), 3)
