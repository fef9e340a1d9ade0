"""What the console is told of circuit breakers: the transitions that wait for it, and how things stand."""

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from opsclient import clock
from opsclient.breaker.transition import Transition

MOST_WAITING = 10_000
MOST_A_REPORT = 200


class Waiting:
    """Transitions in their order, until the console has them. When there are too many, the oldest go and are counted.

    A transition gets its number when it is first sent; so the numbers have no gaps, and one that is sent again has the same.
    """

    def __init__(self, most: int = MOST_WAITING) -> None:
        self.dropped = 0
        self._most = most
        self._lock = threading.RLock()
        self._rest: deque[Transition] = deque()
        self._sent: list[tuple[int, Transition]] = []
        self._number = 0

    def __len__(self) -> int:
        return len(self._rest) + len(self._sent)

    def add(self, transition: Transition) -> None:
        """Never waits."""
        with self._lock:
            self._rest.append(transition)
            while len(self._rest) > self._most:
                self._rest.popleft()
                self.dropped += 1

    def next(self, most: int = MOST_A_REPORT) -> list[tuple[int, Transition]]:
        """The oldest, with their numbers; the same again until `taken`."""
        with self._lock:
            while self._rest and len(self._sent) < most:
                self._number += 1
                self._sent.append((self._number, self._rest.popleft()))
            return self._sent[:most]

    def taken(self, number: int) -> None:
        """The console has all up to this number."""
        with self._lock:
            self._sent = [pair for pair in self._sent if pair[0] > number]

    def renumber(self) -> None:
        """Begin at one again, with all that wait."""
        with self._lock:
            self._rest.extendleft(transition for _, transition in reversed(self._sent))
            self._sent, self._number = [], 0

    def give_up(self, number: int) -> None:
        """The console will never take them."""
        with self._lock:
            before = len(self._sent)
            self.taken(number)
            self.dropped += before - len(self._sent)


def body(
    identity: Mapping[str, str],
    *,
    applied: int,
    dropped: int,
    breakers: Iterable[Mapping[str, Any]],
    transitions: Iterable[tuple[int, Transition]],
) -> dict[str, Any]:
    """A report. Ages are as of now."""
    now = clock.now()
    return {
        "report_id": str(uuid4()),
        **identity,
        "applied": applied,
        "dropped": dropped,
        "sent_s": round(now, 6),
        "breakers": list(breakers),
        "transitions": [_entry(number, transition, now) for number, transition in transitions],
    }


def _entry(number: int, transition: Transition, now: float) -> dict[str, Any]:
    return {
        "seq": number,
        "breaker": transition.breaker,
        "from": transition.before,
        "to": transition.after,
        "ago_s": round(max(0.0, now - transition.at), 3),
        "in_previous_s": round(transition.in_previous_s, 3),
        "why": transition.why,
        "cause": None if transition.cause is None else transition.cause.as_dict(),
        "counts": dict(transition.counts),
    }
