"""The thread that reports circuit breakers to the console: at once when something has happened, and every EVERY_S."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any

from opsclient import clock
from opsclient.breaker.door import Door
from opsclient.breaker.report import MOST_A_REPORT, Waiting, body
from opsclient.breaker.transition import Transition
from opsclient.errors import ConsoleUnreachable
from opsclient.senders import REFUSED_PAUSE_S, Backoff
from opsclient.transport import Answer
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

REPORTS = "/monitoring/circuit-breaker-reports"
EVERY_S = 10.0
BETWEEN_S = 0.02  # two reports, however much happens
LONGEST_PAUSE_S = 60.0


class Reporter:
    """One report at a time. `standing` and `applied` are asked for each; `on_changes` gets what the console answers, and when it was asked."""

    def __init__(
        self,
        endpoint: Door,
        identity: Mapping[str, str],
        *,
        standing: Callable[[], list[dict[str, Any]]],
        applied: Callable[[], int],
        on_changes: Callable[[Mapping[str, Any] | None, float], None],
    ) -> None:
        self.away = ""
        self._identity, self._standing, self._applied = identity, standing, applied
        self._on_changes = on_changes
        self._waiting = Waiting()
        self._poster = endpoint.poster()
        self._backoff = Backoff(first=0.1)
        self._refusals = Backoff(first=REFUSED_PAUSE_S, longest=LONGEST_PAUSE_S)
        self._most = MOST_A_REPORT
        self._due = 0.0
        self.worker = Worker("breakers-report", self._step, last_step=True)

    @property
    def waiting(self) -> int:
        """How many transitions the console does not have."""
        return len(self._waiting)

    def add(self, transition: Transition) -> None:
        """Tell the console; never waits."""
        self._waiting.add(transition)
        self.hurry()

    def hurry(self) -> None:
        """Report soon; while the console is away, not sooner than it would be asked again anyway."""
        if not self.away:
            self._due = 0.0
        self.worker.wake()

    def begin_anew(self) -> None:
        """This process has another name at the console: what waits is numbered from one."""
        self._waiting.renumber()
        self.hurry()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float:
        if not self.worker.stopping and (early := self._due - clock.now()) > 0:
            return early
        self._due = clock.now() + EVERY_S  # `hurry` may move it while the report is under way
        pause = self._report()
        if pause is None:
            if self._waiting:  # more than one report takes
                self._due = 0.0
            self.worker.rest_without_waking(BETWEEN_S)
            return max(0.0, self._due - clock.now())
        self._due = clock.now() + pause
        return pause

    def _report(self) -> float | None:
        """Send one; None if it was taken, else how long to wait."""
        batch = self._waiting.next(self._most)
        last = batch[-1][0] if batch else 0
        sent_at = clock.now()  # before the request: what it answers was so then, or later
        report = body(
            self._identity,
            applied=self._applied(),
            dropped=self._waiting.dropped,
            breakers=self._standing(),
            transitions=batch,
        )
        try:
            answer = self._poster.post(REPORTS, json.dumps(report).encode())
        except ConsoleUnreachable as error:
            return self._missed(str(error))
        if answer.ok and isinstance(answer.data.get("version"), int):
            self._taken(last)
            self._hear(answer.data, report["applied"], sent_at)
            return None
        return self._refused(answer, last)

    def _hear(self, data: Mapping[str, Any], applied: int, sent_at: float) -> None:
        changes = data.get("changes")
        if isinstance(changes, Mapping):
            self._on_changes(changes, sent_at)
        elif data["version"] <= applied:
            self._on_changes(None, sent_at)

    def _taken(self, last: int) -> None:
        if self.away:
            logger.warning("the console hears of circuit breakers again")
        self.away = ""
        self._most = MOST_A_REPORT
        self._backoff.reset()
        self._refusals.reset()
        self._waiting.taken(last)

    def _refused(self, answer: Answer, last: int) -> float | None:
        if answer.status in (400, 422) and last:
            logger.error(
                "the console cannot use a report on circuit breakers (%s): its transitions are given up",
                answer.text,
            )
            self._waiting.give_up(last)
            return None
        if answer.status == 413 and self._most > 1:
            self._most = max(1, self._most // 2)
            return 0.0
        if answer.status in (408, 429) or answer.status >= 500 or answer.ok:
            return self._missed(f"it cannot take them now ({answer.text})")
        return self._rest(f"it refuses this process ({answer.text})", self._refusals.pause())

    def _missed(self, why: str) -> float:
        return self._rest(why, self._backoff.pause())

    def _rest(self, why: str, pause: float) -> float:
        if not self.away:
            logger.warning("reports on circuit breakers wait for the console: %s", why)
        self.away = why
        return pause
