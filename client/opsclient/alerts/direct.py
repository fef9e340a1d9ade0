"""The way round an absent console: what is CRITICAL goes out by the process' own bots, as plain text."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial

from opsclient import clock
from opsclient.alerts.alert import Alert, clean
from opsclient.alerts.bots import Way
from opsclient.alerts.entry import Entry
from opsclient.handlers import Outcome
from opsclient.worker import PrivateLoop, Worker

logger = logging.getLogger("opsclient")

LONGEST_TEXT = 3500  # Telegram takes 4,096 characters
SAME_S = 15 * 60.0  # the same alert goes out directly once in so long
SAME_UNDER_WAY_S = 0.05  # between two looks whether the same alert, which is going out just now, has gone out
PER_MINUTE = 20
AGAIN_S = 30.0


def text_of(alert: Alert, *, client: str, why: str) -> str:
    """What the bot says: plain text, so that nothing in it can break a format."""
    facts = [f"{name}: {clean(value, 200)}" for name, value in {**alert.labels, **alert.details}.items()]
    body = [alert.message] if alert.message and alert.message != alert.title else []
    lines = [f"{alert.urgency} · {alert.category}", alert.title, *body, *facts]
    end = f"{alert.occurred_at} · sent by {client} itself: {why}"
    return clean("\n".join(lines), LONGEST_TEXT - len(end) - 1) + "\n" + end


@dataclass(eq=False, slots=True)
class _Task:
    """One alert that may have to go out directly. due: when, by our clock. left: bots that have not answered yet."""

    entry: Entry
    why: str
    due: float
    left: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def under_way(self) -> bool:
        return self.left > 0


class DirectWay:
    """Sends what is offered when it is due. The same alert goes once in SAME_S, and PER_MINUTE alerts at most go in a minute.

    on_sent: called for each alert that went out, before its caller is answered.
    """

    def __init__(self, ways: list[Way], *, client: str, on_sent: Callable[[Entry], None]) -> None:
        self._ways = [way for way in ways if not way.problem]
        self._client, self._on_sent = client, on_sent
        self._begin()

    def _begin(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._told: dict[str, float] = {}
        self._times: deque[float] = deque()
        self._private = PrivateLoop()
        self._lock = threading.RLock()
        self.worker = Worker("alerts-direct", self._step)

    def adopt(self, loop: asyncio.AbstractEventLoop) -> None:
        """The application's loop, to which asynchronous bots belong."""
        for way in self._ways:
            way.handler.adopt(loop)

    def offer(self, entry: Entry, why: str, *, after_s: float = 0.0) -> bool:
        """Send this one after so many seconds, unless it is over by then. Whether the caller will be answered from here."""
        if not entry.urgent or entry.sent_directly or not self._ways:
            return False
        with self._lock:
            task = self._tasks.get(entry.key)
            if task is None:
                self._tasks[entry.key] = _Task(entry, why, clock.now() + after_s)
            elif not task.under_way and not task.errors:
                task.why, task.due = why, min(task.due, clock.now() + after_s)
        self.worker.wake()
        return True

    def restart_in_child(self) -> None:
        """After a fork, in the child: what waits is the parent's."""
        for way in self._ways:
            way.handler.restart_in_child()
        self._begin()

    def _step(self) -> float | None:
        with self._lock:
            self._forget()
            now = clock.now()
            due = [task for task in self._tasks.values() if not task.under_way and task.due <= now]
        for task in due:
            self._send(task)
        with self._lock:
            dues = [task.due for task in self._tasks.values() if not task.under_way]
        return max(0.0, min(dues) - clock.now()) if dues else None

    def _forget(self) -> None:
        """Leave out what is over, and what was told long ago."""
        now = clock.now()
        self._tasks = {
            key: task
            for key, task in self._tasks.items()
            if task.under_way or not (task.entry.over and task.entry.kept)
        }
        self._told = {identity: at for identity, at in self._told.items() if now - at < SAME_S}
        while self._times and now - self._times[0] >= 60:
            self._times.popleft()

    def _send(self, task: _Task) -> None:
        entry, now = task.entry, clock.now()
        identity = entry.alert.identity
        with self._lock:
            same = [other for other in self._tasks.values() if other.under_way]
            if any(other.entry.alert.identity == identity for other in same):
                task.due = now + SAME_UNDER_WAY_S
                return
        told = self._told.get(identity)
        if told is not None:
            self._tasks.pop(entry.key, None)
            minutes = int((now - told) // 60)
            ago = f"{minutes} min ago" if minutes else "a moment ago"
            entry.answer(entry.waiting(f"{task.why}; the same alert was sent directly {ago}"))
            return
        if len(self._times) >= PER_MINUTE:
            task.due = self._times[0] + 60
            entry.answer(entry.waiting(f"{task.why}; so many were sent directly that this one must wait"))
            return
        self._times.append(now)
        task.left, task.errors = len(self._ways), []
        text = text_of(entry.alert, client=self._client, why=task.why)
        for way in self._ways:
            future = way.handler.start(self._private, text)
            future.add_done_callback(partial(self._ended, task, way))

    def _ended(self, task: _Task, way: Way, done: "Future[Outcome]") -> None:
        outcome = done.result()
        error = outcome.error or outcome.value
        with self._lock:
            task.left -= 1
            if error:
                task.errors.append(f"{way.name} failed ({error})")
                logger.error("%s could not send a CRITICAL alert: %s", way.name, error)
            elif not task.entry.sent_directly:
                task.entry.sent_directly = True
                self._told[task.entry.alert.identity] = clock.now()
                self._on_sent(task.entry)
                task.entry.answer(task.entry.waiting(task.why))
            if task.left == 0:
                self._finish(task)

    def _finish(self, task: _Task) -> None:
        """Every bot has answered: done with it, or tried again later."""
        entry = task.entry
        if entry.sent_directly or not entry.kept:
            self._tasks.pop(entry.key, None)
        if entry.sent_directly:
            return
        task.due = clock.now() + AGAIN_S
        entry.answer(entry.waiting("; ".join([task.why, *task.errors])))
        self.worker.wake()
