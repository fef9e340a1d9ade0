"""Threads that tell the console: acknowledgements at once, calls of this process until they are delivered."""

import json
import logging
import random
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from opsclient import clock
from opsclient.errors import ConsoleUnreachable
from opsclient.transport import Answer, Endpoint, Poster
from opsclient.worker import Worker

logger = logging.getLogger("opsclient")

ACKNOWLEDGE = "/monitoring/kill-switch/acknowledge"
ACTIVATE = "/monitoring/kill-switch/activate"
DEACTIVATE = "/monitoring/kill-switch/deactivate"
REFUSED_PAUSE_S = 10.0


@dataclass(slots=True)
class Backoff:
    """Growing pauses with jitter, so that many processes do not come back in step."""

    first: float = 0.05
    longest: float = 5.0
    _next: float = 0.0

    def pause(self) -> float:
        """Seconds to wait now; the next pause is twice as long."""
        self._next = min(self.longest, self._next * 2 or self.first)
        return self._next * random.uniform(0.5, 1.0)  # noqa: S311  # jitter, no secret

    def reset(self) -> None:
        """The next pause is the first again."""
        self._next = 0.0


@dataclass(frozen=True, slots=True)
class Leisure:
    """Pauses for what is not urgent: spread, so that many processes do not send at one moment."""

    shortest: float
    longest: float

    def pause(self) -> float:
        """Seconds to wait now."""
        return random.uniform(self.shortest, self.longest)  # noqa: S311  # jitter, no secret


LEISURE = Leisure(0.3, 0.7)


class Acknowledger:
    """Sends the latest acknowledgement until it is delivered or a newer one takes its place.

    One with a stop that has not been acknowledged yet goes out at once. The others only say which epoch is applied: they
    wait a little, each client for another while, to leave the console free for what is urgent.
    """

    def __init__(self, endpoint: Endpoint, *, name: str, instance: str) -> None:
        self._identity = {"name": name, "instance": instance}
        self._poster = Poster(endpoint)
        self._latest: _Acknowledgement | None = None
        self._delivered: _Acknowledgement | None = None
        self._backoff = Backoff()
        self.worker = Worker("acknowledge", self._step)

    def send(self, epoch: int, activations: tuple[int, ...]) -> None:
        """Acknowledge this epoch with these stops and drills; never waits."""
        known = () if self._delivered is None else self._delivered.activations
        pause = LEISURE.pause() if set(activations) <= set(known) else 0.0
        latest = _Acknowledgement(epoch, activations, clock.now() + pause)
        if self._delivered is None or not latest.says_the_same(self._delivered):
            self._latest = latest
            self.worker.wake()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float | None:
        latest = self._latest
        if latest is None:
            return None
        if (early := latest.due - clock.now()) > 0:
            return early
        body = json.dumps(
            {**self._identity, "epoch": latest.epoch, "activations": latest.activations}
        ).encode()
        try:
            answer = self._poster.post(ACKNOWLEDGE, body)
        except ConsoleUnreachable as error:
            logger.info("the acknowledgement of epoch %d is not delivered yet: %s", latest.epoch, error)
            return self._backoff.pause()
        if not answer.ok:
            logger.warning("the acknowledgement of epoch %d was refused (%s)", latest.epoch, answer.text)
            return self._backoff.pause()
        self._backoff.reset()
        self._delivered = latest
        if self._latest is latest:
            self._latest = None
            return None
        return 0.0


@dataclass(frozen=True, slots=True)
class _Acknowledgement:
    epoch: int
    activations: tuple[int, ...]
    due: float

    def says_the_same(self, other: "_Acknowledgement") -> bool:
        return (self.epoch, self.activations) == (other.epoch, other.activations)


@dataclass(eq=False, slots=True)
class Call:
    """A request that this process makes. `first` is the result of the first attempt: an Answer, or ConsoleUnreachable.

    With `on_answer`, it is repeated until that accepts an answer or `wanted` says no; without, there is one attempt.
    """

    path: str
    body: bytes
    key: str
    on_answer: Callable[[Answer], bool] | None = None
    on_failure: Callable[[str], None] = lambda _text: None
    wanted: Callable[[], bool] = lambda: True
    first: "Future[Answer | ConsoleUnreachable]" = field(default_factory=Future)
    due: float = 0.0
    backoff: Backoff = field(default_factory=Backoff)


class Caller:
    """Sends calls in the order in which they are due. One that cannot be delivered does not hold up the others."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._poster = Poster(endpoint)
        self._calls: list[Call] = []
        self._lock = threading.RLock()
        self.worker = Worker("call", self._step)

    @property
    def pending(self) -> list[Call]:
        """What is not delivered yet."""
        with self._lock:
            return list(self._calls)

    def send(self, call: Call) -> None:
        """Queue a call; never waits."""
        with self._lock:
            self._calls.append(call)
        self.worker.wake()

    def hurry(self) -> None:
        """The console has just been seen: try everything again now."""
        for call in self.pending:
            call.due = 0.0
        self.worker.wake()

    def abandon(self) -> None:
        """In a forked child: close the child's copy of the connection."""
        self._poster.close()

    def _step(self) -> float | None:
        for call in self.pending:
            if not call.wanted():
                self._drop(call)
            elif call.due <= clock.now():
                self._attempt(call)
        dues = [call.due for call in self.pending]
        return max(0.0, min(dues) - clock.now()) if dues else None

    def _attempt(self, call: Call) -> None:
        try:
            answer = self._poster.post(call.path, call.body, key=call.key)
        except ConsoleUnreachable as error:
            self._failed(call, str(error), call.backoff.pause())
            _resolve(call.first, error)
            return
        if call.on_answer is None or (answer.ok and call.on_answer(answer)):
            self._drop(call)
        else:
            temporary = answer.status == 429 or answer.status >= 500
            pause = call.backoff.pause() if temporary else REFUSED_PAUSE_S
            self._failed(call, f"the console refused it ({answer.text})", pause)
        _resolve(call.first, answer)

    def _failed(self, call: Call, text: str, pause: float) -> None:
        call.on_failure(text)
        if call.on_answer is None:
            self._drop(call)
        else:
            logger.warning("%s is not delivered, and is tried again in %.1f s: %s", call.path, pause, text)
            call.due = clock.now() + pause

    def _drop(self, call: Call) -> None:
        with self._lock:
            if call in self._calls:
                self._calls.remove(call)


def _resolve(future: "Future[Answer | ConsoleUnreachable]", result: Answer | ConsoleUnreachable) -> None:
    if not future.done():
        future.set_result(result)
