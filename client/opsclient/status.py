"""The status as a dictionary with the field names of the API."""

import math
from typing import Any

from opsclient.gate import Gate
from opsclient.view import View


def status_of(gate: Gate, *, now: float) -> dict[str, Any]:
    """What is in force in this process at `now` (of `opsclient.clock.now`).

    `lease_s_left` is 0.0 without a lease and None where none is needed. `scopes` lists every stop in force, covering this
    process or not; `reason` to `activated_by` are those of the strictest that covers it, None if none does.
    """
    view = gate.view
    stop = view.blocking()
    override = gate.override
    return {
        "is_active": stop is not None,
        "trading_allowed": stop is None and view.until > now,
        "mode": str(view.mode),
        "epoch": view.epoch,
        "reason": stop and str(stop.reason),
        "message": stop and stop.message,
        "metadata": stop and dict(stop.metadata),
        "activated_at": stop and stop.since,
        "activated_by": stop and stop.by,
        "scopes": [entry.as_dict() for entry in view.stops],
        "lease_s_left": lease_left(view, now),
        "override": override and {"at": override.at, "epoch": override.epoch},
        "undelivered": [
            {"scope": local.stop.scope, "error": local.delivery_error}
            for local in gate.locals
            if local.source == "call" and local.settled_epoch is None
        ],
    }


def lease_left(view: View, now: float) -> float | None:
    """Seconds of the lease, 0.0 without one, None where none is needed."""
    if view.until == math.inf:
        return None
    return max(0.0, round(view.until - now, 3)) if math.isfinite(view.until) else 0.0
