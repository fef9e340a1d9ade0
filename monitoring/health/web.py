"""Health in a web process: it looks for what is due, and says that its event loop turns and its hub reads the database."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import datetime
from time import monotonic
from typing import Any

from monitoring.health import running
from monitoring.health.checks.pulses import HUB
from monitoring.health.pulsing import EVERY, pulse
from monitoring.health.runner import Runner
from opsconsole.live.clock import clock
from opsconsole.live.hub import Hub

# Between two looks at how late the event loop is. Seconds.
TURN = 0.25


@dataclass(slots=True)
class Turn:
    """What the event loop knew of itself at `at`, by the monotonic clock. `lag_s`: how late it was at worst since the pulse before."""

    at: float
    lag_s: float
    details: dict[str, Any]


class HubHealth:
    """The loop notes its turns; the runner's thread writes them down. A loop that hangs notes none, and so is missed."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._name = f"{HUB}{hub.id}"
        self._lock = threading.Lock()
        self._turn: Turn | None = None
        self._written_at = float("-inf")
        self._runner = Runner(between=self._write)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._turns())
        self._runner.start()

    async def stop(self) -> None:
        self._runner.stop()
        running.close()
        if self._task is not None:
            self._task.cancel()

    async def _turns(self) -> None:
        while True:
            due = monotonic() + TURN
            await asyncio.sleep(TURN)
            self._note(max(0.0, monotonic() - due))

    def _note(self, lag_s: float) -> None:
        latest = self._hub.latest
        details = {
            "streams": len(self._hub.streams),
            "reading_age_s": None if latest is None else round(clock() - latest.s, 3),
        }
        with self._lock:
            worst = max(lag_s, self._turn.lag_s if self._turn else 0.0)
            self._turn = Turn(monotonic(), worst, details)

    def _write(self, now: datetime) -> None:
        """In the runner's thread. Only while the loop turns."""
        with self._lock:
            turn = self._turn
            if (
                turn is None
                or monotonic() - turn.at > 2 * TURN + EVERY
                or monotonic() < self._written_at + EVERY
            ):
                return
            self._turn = None
        self._written_at = monotonic()
        pulse(self._name, now=now, details=turn.details | {"loop_lag_ms": round(1000 * turn.lag_s, 1)})
