"""The loop of one process that looks for what is due, has it looked at, and stores what comes of it.

Every web process has one, and workers run one while beat ticks; whoever comes first claims. So a console whose beat, worker or Redis is dead
says so, and so does one whose web process is.
"""

import logging
import os
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import close_old_connections, connections
from django.utils import timezone

from monitoring.health import claiming, targets
from monitoring.health.models import HealthComponent
from monitoring.health.running import Running
from monitoring.health.storing import note_outage, store
from monitoring.health.watchdog.watching import Watching

logger = logging.getLogger(__name__)

# Between two looks for what is due. Seconds.
EVERY = 0.5
# Without a tick for so long, a worker's runner ends.
LINGER = 30.0
# A database that answers later than that was away. Seconds.
LONG = 2.0
# Between two looks for trading processes that are new or gone. Seconds.
TARGETS_EVERY = 2.0


class Runner:
    """`every`: seconds between looks; None: only when `look()` is called, and the thread ends when that has not been for a while."""

    def __init__(
        self, *, every: float | None = EVERY, between: Callable[[datetime], None] | None = None
    ) -> None:
        self._every = every
        # Something else to write now and then, such as this process' own signs of life.
        self._between = between
        self._changed = threading.Condition()
        self._running = Running(self._wake)
        self._watching = Watching()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._wanted = False
        self._woken = False
        self._asked_at = monotonic()
        self._targets_at = float("-inf")
        # Since when the database owes this process an answer. None: it has given the last one.
        self._asked_database_at: float | None = None
        self._is_away = False

    def start(self) -> None:
        self.look()

    def look(self) -> None:
        """Look for what is due soon. Returns at once."""
        with self._changed:
            self._wanted, self._asked_at = True, monotonic()
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="health-runner", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def _wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify()

    def _run(self) -> None:
        next_look = monotonic()
        try:
            while self._wait(next_look):
                close_old_connections()
                self._store()
                if self._take_wanted() or (self._every is not None and monotonic() >= next_look):
                    next_look = monotonic() + (self._every or LINGER)
                    self._claim()
        finally:
            connections.close_all()

    def _wait(self, next_look: float) -> bool:
        """Until there is something to do. False: the thread is to end."""
        overdue = self._running.next_overdue()
        until = next_look if self._every is not None else self._asked_at + LINGER
        until = until if overdue is None else min(until, overdue)
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopping or self._wanted or self._woken, max(0.0, until - monotonic())
            )
            self._woken = False
            idle = self._every is None and monotonic() > self._asked_at + LINGER and overdue is None
            if self._stopping or (idle and not self._wanted):
                self._thread = None
                return False
            return True

    def _take_wanted(self) -> bool:
        with self._changed:
            wanted, self._wanted = self._wanted, False
            return wanted

    def _claim(self) -> None:
        now = timezone.now()
        self._note_question()
        try:
            if monotonic() >= self._targets_at:
                self._targets_at = monotonic() + TARGETS_EVERY
                targets.follow(now=now)
            if self._between is not None:
                self._between(now)
            self._running.begin(claiming.claim_due(now=now))
            self._note_answer()
            self._watching.look(now=now)
        except DatabaseError as error:
            self._note_away(error)
        except Exception:
            logger.exception("Health checks could not be begun")

    def _store(self) -> None:
        ended = self._running.ended()
        if not ended:
            return
        host = claiming.own_host()
        outcomes = [outcome for job in ended for outcome in job.outcomes(host)]
        self._note_question()
        try:
            store(outcomes=outcomes, now=timezone.now())
            self._note_answer()
        except DatabaseError as error:
            # They would be out of date when the database is back; their claims run out by themselves.
            self._note_away(error)
        except Exception:
            logger.exception("Results of health checks could not be stored")

    def _note_question(self) -> None:
        self._asked_database_at = self._asked_database_at or monotonic()

    def _note_answer(self) -> None:
        """If it was long in coming, that is written down now."""
        asked_at, self._asked_database_at = self._asked_database_at, None
        if asked_at is not None and monotonic() - asked_at > LONG:
            note_outage(seconds=monotonic() - asked_at, now=timezone.now())
        self._is_away = False

    def _note_away(self, error: DatabaseError) -> None:
        if not self._is_away:
            logger.warning("Health checks wait for the database (%s)", type(error).__name__)
        self._is_away = True
        # Not to be taken for sound again.
        connections.close_all()


def refresh(*, now: datetime, not_within: timedelta, only: int | None = None) -> int:
    """Look at everything now, or at `only`, in threads of this process, but at nothing that was looked at within `not_within`.

    Returns how many, when all is stored.
    """
    claims: list[HealthComponent] = claiming.claim_all(now=now, not_since=now - not_within, only=only)
    ended = threading.Event()
    running = Running(ended.set)
    host = claiming.own_host()
    try:
        left = len(running.begin(claims))
        while left:
            overdue = running.next_overdue()
            if overdue is not None:
                ended.wait(max(0.0, overdue - monotonic()))
            ended.clear()
            jobs = running.ended()
            left -= len(jobs)
            if outcomes := [outcome for job in jobs for outcome in job.outcomes(host)]:
                store(outcomes=outcomes, now=timezone.now())
    finally:
        running.leave()
    return len(claims)


_of_worker = Runner(every=None)


def tick() -> None:
    """Beat's tick in a worker: look for what is due, in threads beside those that do its jobs."""
    if settings.HEALTH_CHECKS:
        _of_worker.look()


def _begin_anew() -> None:
    """Threads do not live on in a forked process."""
    global _of_worker  # noqa: PLW0603  the one of this process
    _of_worker = Runner(every=None)


os.register_at_fork(after_in_child=_begin_anew)
