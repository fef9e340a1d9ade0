"""The state machine with what a console says besides: holds, shared openings and the lease to probe for all. Pure as the machine is."""

import math
from collections.abc import Callable
from dataclasses import replace

from opsclient.breaker.choices import CircuitState, Why
from opsclient.breaker.config import CircuitConfig
from opsclient.breaker.errors import Opening
from opsclient.breaker.holds import UNANSWERED_S, Hold, Lease, Shared
from opsclient.breaker.machine import CLOSED, HALF_OPEN, OPEN, Machine
from opsclient.breaker.permits import AskToProbe, Event


class SteeredMachine(Machine):
    """As Machine. An operator's hold goes before everything; what is shared goes before the own judgement."""

    def __init__(self, config: CircuitConfig, *, now: float, draw: Callable[[], float]) -> None:
        self.hold: Hold | None = None
        self.shared: Shared | None = None
        self._lease: Lease | None = None
        self._joined = False  # whether it is open because all are
        self._settled = -1  # the shared opening that this process has ended by itself
        self._asked_at: float | None = None
        self._ask_after = -math.inf
        super().__init__(config, now=now, draw=draw)

    @property
    def forced(self) -> CircuitState | None:
        """The state in which an operator holds it."""
        return None if self.hold is None else self.hold.state

    def set_hold(self, hold: Hold | None, now: float) -> list[Event]:
        """An operator forces it OPEN or CLOSED, until the hold's time is over; None releases it."""
        events: list[Event] = []
        if hold is not None and now >= hold.until:
            hold = None
        before, self.hold = self.hold, hold
        if hold == before:
            return events
        if hold is not None and before is not None and hold == replace(before, until=hold.until):
            self._prolong(hold)
        elif hold is None:
            self._released(before, now, events)
        elif hold.state is OPEN:
            opening = Opening(now, hold.until, None, hold.by, hold.reason, forced=True)
            self._shut(opening, Why.FORCE_OPEN, events)
        else:
            self._close(now, Why.FORCE_CLOSED, events)
        return events

    def set_shared(self, shared: Shared | None, now: float) -> list[Event]:
        """What the processes together think of the service, as the console has it now."""
        events: list[Event] = []
        self.shared = shared
        if self.hold is not None:
            return events
        if shared is None:
            self._joined, self._lease = False, None
        elif shared.state is CLOSED:
            if self._joined or self._lease is not None:
                self._close(now, Why.SHARED, events)
        elif shared.generation > self._settled:
            self._join(shared, now, events)
        return events

    def grant(self, generation: int, lease: Lease, now: float) -> list[Event]:
        """The console lets this process try for all, while the shared opening is still the one that it was asked of."""
        events: list[Event] = []
        self._asked_at = None
        is_meant = self.shared is not None and self.shared.generation == generation
        if is_meant and self.state is OPEN and self.hold is None and now >= self._until:
            self._lease = lease
            self._half_open(now, Why.TIMEOUT_OVER, events)
        return events

    def refuse(self, now: float, retry_s: float) -> None:
        """Another process tries, or none may; ask again after so many seconds at the earliest."""
        self._asked_at, self._ask_after = None, now + retry_s

    def expire(self, now: float) -> list[Event]:
        events: list[Event] = []
        if self.hold is not None and now >= self.hold.until:
            events += self.set_hold(None, now)
        if self._lease is not None and self.state is HALF_OPEN and now >= self._lease.until:
            self._lease = None
            self._rejoin(now, now, events)
        return events

    def restart(self, now: float) -> None:
        self._lease = self._asked_at = None
        super().restart(now)

    def reset(self, now: float) -> list[Event]:
        if self.forced is OPEN:
            self.openings = 0
            return []
        return super().reset(now)

    @property
    def _is_own_opening(self) -> bool:
        return self.hold is None and not self._joined

    @property
    def _permits(self) -> int:
        return self.config.permits if self._lease is None else self._lease.permits

    @property
    def _may_trip(self) -> bool:
        return self.hold is None

    @property
    def _look_at(self) -> float:
        return math.inf if self.hold is None else self.hold.until

    def _may_try(self, now: float, events: list[Event]) -> bool:
        shared = self.shared
        if shared is None or shared.state is CLOSED or shared.generation <= self._settled:
            return True
        if self._asked_at is None:
            if now >= self._ask_after:
                self._asked_at = now
                events.append(AskToProbe(shared.generation))
            return False
        if now - self._asked_at < UNANSWERED_S:
            return False
        self._asked_at = None  # the console is away
        return True

    def _join(self, shared: Shared, now: float, events: list[Event]) -> None:
        if self.state is HALF_OPEN and self._lease is not None and shared.state is HALF_OPEN:
            return  # it is this process that tries
        self._joined = True
        self._lease = None
        self._asked_at = None
        if self.state is not OPEN:
            self._rejoin(now, shared.until, events)
        elif shared.state is OPEN:
            self._reject_until(shared.until)

    def _rejoin(self, now: float, until: float, events: list[Event]) -> None:
        """OPEN with all the others."""
        self._joined = True
        self._shut(Opening(now, until, self.last_failure), Why.SHARED, events)

    def _prolong(self, hold: Hold) -> None:
        """The same hold ends at another time."""
        if hold.state is OPEN:
            self._reject_until(hold.until)
        elif self.term is not None:
            self._show(self.term)

    def _released(self, before: Hold | None, now: float, events: list[Event]) -> None:
        if before is None:
            return
        shared = self.shared
        if shared is not None and shared.state is not CLOSED and shared.generation > self._settled:
            self._joined = True
            self._shut(Opening(now, shared.until), Why.SHARED, events)
        elif before.state is OPEN:
            self._half_open(now, Why.RELEASE, events)
        else:
            self._begin_again(now)

    def _begin_again(self, now: float) -> None:
        """CLOSED as before, with a window that begins now: what an operator let through on purpose is not held against the service."""
        self.generation += 1
        self._begin_term(now)

    def _close(self, now: float, why: Why, events: list[Event]) -> None:
        if self.shared is not None and why in (Why.PROBES_SUCCEEDED, Why.RESET):
            self._settled = max(self._settled, self.shared.generation)
        self._joined, self._lease, self._asked_at = False, None, None
        super()._close(now, why, events)

    def _half_open(self, now: float, why: Why, events: list[Event]) -> None:
        self._asked_at = None
        super()._half_open(now, why, events)

    def _shut(self, opening: Opening, why: Why, events: list[Event]) -> None:
        self._lease = None
        super()._shut(opening, why, events)
