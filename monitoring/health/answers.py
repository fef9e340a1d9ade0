"""What the API says of health: plain data, the same for everybody who may read it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from monitoring.health import selectors, system
from monitoring.health.choices import Status
from monitoring.health.selectors import Board, Component
from opsconsole.api.shared import Answer

PERMISSION = "monitoring.view_healthcomponent"
HEALTH_PATH, STATUS_PATH = "/monitoring/health", "/monitoring/system/status"


def health() -> Answer:
    """GET /monitoring/health."""
    found = selectors.board()
    return Answer(http_status(found), msgspec.json.encode(whole(found)))


def system_status() -> Answer:
    """GET /monitoring/system/status."""
    return Answer(200, msgspec.json.encode(system.as_json(system.status())))


def http_status(found: Board) -> int:
    """503 tells probes that look at nothing else."""
    return 503 if found.status == Status.UNHEALTHY else 200


def whole(found: Board) -> dict[str, Any]:
    return {
        "status": found.status,
        "timestamp": moment(found.now),
        "components": [component(one) for one in found.components],
        "system_resources": selectors.resources(found),
    }


def component(one: Component) -> dict[str, Any]:
    """The guide's fields first."""
    row = one.row
    return {
        "name": row.name,
        "status": one.status,
        "message": one.message,
        "response_time_ms": None if row.response_ms is None else round(row.response_ms, 2),
        "last_check": row.checked_at and moment(row.checked_at),
        "metadata": row.metadata,
        "slug": row.slug,
        "kind": row.kind,
        "essential": row.essential,
        "since": row.since and moment(row.since),
        "age_seconds": None if one.age_seconds is None else round(one.age_seconds, 1),
        "interval_seconds": row.interval_seconds,
        "stale": one.stale,
    }


def summary(found: Board) -> dict[str, Any]:
    counts: Mapping[Status, int] = found.counts()
    return {
        "status": found.status,
        "timestamp": moment(found.now),
        "total": len(found.components),
        "counts": {str(status): count for status, count in counts.items()},
        "abnormal": [_brief(one) for one in found.abnormal],
        "stale": [one.row.name for one in found.stale],
        "oldest_check_seconds": max(
            (one.age_seconds or 0.0 for one in found.components if one.watched), default=None
        ),
        "system_resources": selectors.resources(found),
    }


def _brief(one: Component) -> dict[str, Any]:
    return {"name": one.row.name, "slug": one.row.slug, "status": one.status, "message": one.message}


def moment(at: datetime) -> str:
    """As everywhere in the API: UTC, with a Z."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
