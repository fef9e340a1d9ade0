"""Checks under way in this process: each in a thread of its own, with a hard budget.

A check that has not ended when its budget is over has failed; whatever it finds later is dropped. As long as it hangs it is not started again
here. None delays another.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic, perf_counter
from typing import Any

from django.db import connections
from django.utils import timezone

from monitoring.health.building import check_of
from monitoring.health.checks import clients
from monitoring.health.checks.base import Failed, Result
from monitoring.health.choices import Kind, Status
from monitoring.health.models import HealthComponent
from monitoring.health.storing import Outcome
from opsconsole.live.database import in_database

logger = logging.getLogger(__name__)

# A thread that has had nothing to do for so long ends, and its connection to the database with it. Seconds.
IDLE_SECONDS = 25.0


@dataclass(slots=True, eq=False)
class Job:
    """Claims that are looked at together: one, or all trading processes that are due. `results`: in their order, once `done`."""

    claims: Sequence[HealthComponent]
    budget: float
    began: float = field(default_factory=monotonic)
    results: Sequence[Result] | None = None
    # Its results do not count any more.
    given_up: bool = False

    @property
    def overdue_at(self) -> float:
        return self.began + self.budget

    def outcomes(self, host: str) -> list[Outcome]:
        """Of a job that has ended, or whose budget is over."""
        results = self.results or [_late(self.budget)] * len(self.claims)
        return [
            Outcome(claim.pk, claim.claim, result, host)
            for claim, result in zip(self.claims, results, strict=True)
            if claim.claim is not None
        ]


class Threads:
    """Those that checks run in. One that hangs is never used again before it is free; the newest idle one is used first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: set[_Thread] = set()
        self._idle: deque[_Thread] = deque()
        self._closed = False

    def start(self, work: Callable[[], Any]) -> None:
        """Returns at once. Raises RuntimeError when no thread can be had."""
        with self._lock:
            if self._idle:
                self._idle.pop().give(work)
                return
            thread = _Thread(self, work)
            thread.start()
            self._all.add(thread)

    def close(self, *, patience: float = 0.0) -> None:
        """None is kept from now on: idle ones end, the others when they are free. Waits so many seconds for all of them at most."""
        until = monotonic() + patience
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop().give(None)
            threads = list(self._all)
        for thread in threads:
            thread.join(max(0.0, until - monotonic()))

    def rests(self, thread: "_Thread") -> bool:
        """Whether it is to wait for more work."""
        with self._lock:
            if not self._closed:
                self._idle.append(thread)
            return not self._closed

    def dismissed(self, thread: "_Thread") -> bool:
        """Whether it may end: nobody has taken it meanwhile."""
        with self._lock:
            if thread not in self._idle:
                return False
            self._idle.remove(thread)
            return True

    def ended(self, thread: "_Thread") -> None:
        with self._lock:
            self._all.discard(thread)


class _Thread(threading.Thread):
    def __init__(self, home: Threads, work: Callable[[], Any]) -> None:
        super().__init__(name="health-check", daemon=True)
        self._home = home
        self._work: Callable[[], Any] | None = work
        self._given = threading.Event()

    def give(self, work: Callable[[], Any] | None) -> None:
        """None: it is to end."""
        self._work = work
        self._given.set()

    def run(self) -> None:
        try:
            while self._work is not None:
                work, self._work = self._work, None
                in_database(work)()
                del work
                if self._home.rests(self):
                    self._wait()
        finally:
            connections.close_all()
            self._home.ended(self)

    def _wait(self) -> None:
        while not self._given.wait(IDLE_SECONDS):
            if self._home.dismissed(self):
                return
        self._given.clear()


class Process:
    """What all in this process share: threads, and the jobs that hang, by component: their budget is over, and their threads are still at it."""

    def __init__(self) -> None:
        self.threads = Threads()
        self.lock = threading.Lock()
        self.hanging: dict[int, Job] = {}


_process = Process()


def _begin_anew() -> None:
    """Threads do not live on in a forked process."""
    global _process  # noqa: PLW0603  the one of this process
    _process = Process()


os.register_at_fork(after_in_child=_begin_anew)


def close(*, patience: float = 0.0) -> None:
    """This process ends, or its database does: no idle thread keeps its connection. Waits so many seconds at most."""
    _process.threads.close(patience=patience)


class Running:
    """The jobs that somebody waits for. `tell` is called from any thread when one has ended."""

    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell
        self._process = _process
        self._jobs: list[Job] = []

    def begin(self, claims: Iterable[HealthComponent]) -> list[Job]:
        """Start looking. A component whose last check here still hangs has failed already."""
        free: list[HealthComponent] = []
        jobs: list[Job] = []
        for claim in claims:
            with self._process.lock:
                hanging = self._process.hanging.get(claim.pk)
            if hanging is None:
                free.append(claim)
            else:
                jobs.append(self._add([claim]))
                self._end(jobs[-1], [_hangs(hanging)])
        for group in grouped(free):
            jobs.append(self._add(group))
            self._start(jobs[-1])
        return jobs

    def ended(self) -> list[Job]:
        """Those that have ended since the last call, and those whose budget is over."""
        now = monotonic()
        with self._process.lock:
            over = [job for job in self._jobs if job.results is not None or job.overdue_at <= now]
            self._let_go(over)
        return over

    def leave(self) -> None:
        """Nobody waits for the rest any more. What hangs is known as such, so that no further thread is lost to it."""
        with self._process.lock:
            self._let_go(self._jobs)

    def next_overdue(self) -> float | None:
        """By the monotonic clock. None: nothing is under way."""
        with self._process.lock:
            return min((job.overdue_at for job in self._jobs), default=None)

    def _add(self, claims: Sequence[HealthComponent]) -> Job:
        job = Job(claims, budget=min(claim.budget_seconds for claim in claims))
        with self._process.lock:
            self._jobs.append(job)
        return job

    def _let_go(self, over: Sequence[Job]) -> None:
        """With the lock."""
        self._jobs = [job for job in self._jobs if job not in over]
        for job in over:
            if job.results is None:
                job.given_up = True
                self._process.hanging |= {claim.pk: job for claim in job.claims}

    def _start(self, job: Job) -> None:
        try:
            self._process.threads.start(lambda: self._look(job))
        except RuntimeError:
            self._end(job, [Result(Status.UNHEALTHY, "No thread could be had for it")] * len(job.claims))

    def _look(self, job: Job) -> None:
        self._end(job, looked_at(job.claims, now=timezone.now()))

    def _end(self, job: Job, results: Sequence[Result]) -> None:
        with self._process.lock:
            if job.given_up:
                for claim in job.claims:
                    # Another may hang by now: what is looked at was changed meanwhile.
                    if self._process.hanging.get(claim.pk) is job:
                        del self._process.hanging[claim.pk]
                return
            job.results = results
        self._tell()


def grouped(claims: Iterable[HealthComponent]) -> list[list[HealthComponent]]:
    """Trading processes together, everything else by itself."""
    together = [claim for claim in claims if claim.kind == Kind.CLIENT]
    alone = [[claim] for claim in claims if claim.kind != Kind.CLIENT]
    return [*alone, together] if together else alone


def looked_at(claims: Sequence[HealthComponent], *, now: datetime) -> list[Result]:
    """Look now, in this thread. Never raises: what fails is a result."""
    began = perf_counter()
    try:
        if claims[0].kind == Kind.CLIENT:
            return clients.look([str(claim.settings.get("client", "")) for claim in claims], now)
        return [check_of(claims[0]).run(now)]
    except Failed as error:
        failure = str(error)
    except Exception as error:
        # Its text may hold anything, so people get to see its kind alone; the log has it once.
        if claims[0].result != Status.UNHEALTHY:
            logger.warning("The check of %s failed", claims[0].slug, exc_info=True)
        failure = f"The check failed ({type(error).__name__})"
    spent = round(1000 * (perf_counter() - began), 3)
    return [Result(Status.UNHEALTHY, failure, spent)] * len(claims)


def _late(budget: float) -> Result:
    return Result(Status.UNHEALTHY, f"No answer within its budget of {budget:g} s", 1000 * budget)


def _hangs(job: Job) -> Result:
    return Result(
        Status.UNHEALTHY,
        f"A check that began {monotonic() - job.began:,.0f} s ago still hangs",
        1000 * job.budget,
    )
