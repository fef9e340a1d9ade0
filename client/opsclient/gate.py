"""The gate: all that decides whether an order is allowed, and the only place where it changes.

Writers take a lock and publish a new `View`; readers take none. Nothing here waits, calls the network or a callback.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Literal

from opsclient import clock, lease
from opsclient.reasons import Mode
from opsclient.scopes import covers
from opsclient.snapshot import Snapshot, Stop
from opsclient.view import View

Source = Literal["call", "file"]


@dataclass(eq=False, slots=True)
class LocalStop:
    """A stop that began in this process: by a call of `activate`, or by the halt file.

    `key` is the Idempotency-Key of its delivery. Once the console has taken it, `settled_epoch` is the console's epoch;
    as soon as that epoch is applied, the console's own switch takes over and this stop ends.
    """

    stop: Stop
    source: Source
    key: str
    settled_epoch: int | None = None
    delivery_error: str | None = None


@dataclass(eq=False, slots=True)
class Episode:
    """One stop from this process' point of view, from its first sight to its end. Callbacks run once for each."""

    stop: Stop
    local: LocalStop | None = None
    activation: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """The episodes that began and ended by one change of the gate."""

    opened: list[Episode] = field(default_factory=list)
    closed: list[Episode] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Override:
    """The emergency override: stops are lifted in this process only, until an epoch after `epoch`."""

    at: str
    epoch: int


class Gate:
    """Whether this process may trade.

    `follows_console=False` needs no lease. `keep` ignores the lease once the console's state is known.
    """

    def __init__(self, *, own: frozenset[str], follows_console: bool, keep: bool = False) -> None:
        self._lock = threading.RLock()
        self._own = own
        self._follows_console = follows_console
        self._keep = keep
        self._watched = False
        self._version = 0
        self._readers: list[Callable[[float], None]] = []
        self._waiting: list[tuple[Callable[[View], bool], Future[View]]] = []
        self._episodes: list[Episode] = []
        self._local: list[LocalStop] = []
        self._snapshot = Snapshot(epoch=0)
        self._known = self._behind = self._closed = False
        self._lease_until = self._watch_until = lease.NONE
        self.override: Override | None = None
        self.view = View(own=own)
        self._publish()

    # Reading

    @property
    def snapshot(self) -> Snapshot:
        """The console's snapshot that is applied."""
        return self._snapshot

    @property
    def locals(self) -> list[LocalStop]:
        """The stops that began here and are not yet the console's."""
        return list(self._local)

    @property
    def episodes(self) -> list[Episode]:
        """The stops whose callbacks are due or have run, and that have not ended."""
        return list(self._episodes)

    def subscribe(self, reader: Callable[[float], None]) -> None:
        """Hand every new deadline to `reader`, which must be quick and must not raise."""
        with self._lock:
            self._readers.append(reader)
            reader(self.view.deadline)

    def when(self, condition: Callable[[View], bool]) -> Future[View]:
        """A future for the first view that meets the condition."""
        future: Future[View] = Future()
        with self._lock:
            self._waiting.append((condition, future))
            self._publish()
        return future

    # The console's word

    def apply(self, snapshot: Snapshot) -> Change | None:
        """Put a snapshot in force. None, and nothing changes, if its epoch lies behind the one applied already.

        A console that was restored from an old backup must not re-arm anybody.
        """
        with self._lock:
            self._behind = snapshot.epoch < self._snapshot.epoch
            if self._behind:
                self._publish()
                return None
            if self.override is not None and snapshot.epoch > self.override.epoch:
                self.override = None
            self._snapshot, self._known = snapshot, True
            self._take_over()
            change = self._reconcile()
            self._publish()
            return change

    def extend(self, *, epoch: int, until: float) -> bool:
        """Count a lease. False if it is for another epoch than the one applied, and so counts for nothing."""
        with self._lock:
            if not self._known or epoch != self._snapshot.epoch:
                return False
            if until > self._lease_until:
                self._lease_until = until
                self._publish()
            return True

    # This process' own word

    def halt(self, local: LocalStop) -> Change:
        """Stop at once, in this process. Ends an override: a new stop is a new reason."""
        with self._lock:
            self.override = None
            self._local.append(local)
            change = Change()
            episode = self._twin(local)
            if episode is None:
                change.opened.append(Episode(local.stop, local=local))
                self._episodes += change.opened
            else:
                episode.local = local
            self._publish()
            return change

    def settle(self, local: LocalStop, epoch: int) -> Change:
        """Note that the console has taken the stop at `epoch`; its own switch takes over when that is applied."""
        with self._lock:
            local.settled_epoch, local.delivery_error = epoch, None
            self._take_over()
            change = self._reconcile()
            self._publish()
            return change

    def lift(self, wanted: Callable[[LocalStop], bool]) -> Change:
        """End the stops of this process that are wanted. What the console has stopped stays stopped."""
        with self._lock:
            self._end(wanted)
            change = self._reconcile()
            self._publish()
            return change

    def set_override(self, *, on: bool) -> None:
        """Lift every stop but the halt file's in this process, or end that. The lease is needed all the same."""
        with self._lock:
            self.override = Override(clock.utc_text(), self._snapshot.epoch) if on else None
            self._publish()

    def watch(self, until: float) -> None:
        """Need, from the first call on, a watcher of the halt file that renews its own short lease."""
        with self._lock:
            self._watched, self._watch_until = True, until
            self._publish()

    def close(self) -> None:
        """Nobody keeps this gate up to date any more: nothing is allowed if it followed a console or a file."""
        with self._lock:
            self._closed = self._follows_console or self._watched
            self._publish()

    def restart_in_child(self) -> None:
        """After a fork, in the child: no lease, whatever the parent held, and a lock that nobody else holds.

        Stops, the applied epoch and the episodes stay: what was stopped is stopped, and what has run has run.
        """
        self._lock = threading.RLock()
        self._waiting = []
        self._lease_until = self._watch_until = lease.NONE
        self._known = False
        self._publish()

    # Inside

    def _twin(self, local: LocalStop) -> Episode | None:
        """The running episode of the console's switch on the same scope: stopping twice is one stop."""
        if local.source == "file":
            return None
        for episode in self._episodes:
            same_source = episode.local is None or episode.local.source == "call"
            as_strict = episode.stop.mode in (Mode.HALTED, local.stop.mode)
            if same_source and as_strict and episode.stop.scope == local.stop.scope:
                return episode
        return None

    def _take_over(self) -> None:
        applied = self._snapshot.epoch
        self._end(lambda local: local.settled_epoch is not None and local.settled_epoch <= applied)

    def _end(self, over: Callable[[LocalStop], bool]) -> None:
        # One by one: a new list would lose the stop that a signal handler adds in the meantime.
        for local in list(self._local):
            if over(local):
                self._local.remove(local)

    def _reconcile(self) -> Change:
        change = Change()
        known = {episode.activation for episode in self._episodes}
        for stop in self._snapshot.stops:
            if stop.activation in known:
                continue
            episode = self._unnamed(stop)
            if episode is not None:
                episode.stop, episode.activation = stop, stop.activation
            elif covers(stop.scope, self._own):
                change.opened.append(Episode(stop, activation=stop.activation))
        in_force = {stop.activation for stop in self._snapshot.stops}
        for episode in self._episodes:
            by_console = episode.activation is not None and episode.activation in in_force
            if not by_console and episode.local not in self._local:
                change.closed.append(episode)
        self._episodes = [
            episode for episode in self._episodes if episode not in change.closed
        ] + change.opened
        return change

    def _unnamed(self, stop: Stop) -> Episode | None:
        """The episode that this process began, and that the console now shows as this activation."""
        candidates = [
            episode
            for episode in self._episodes
            if episode.local is not None
            and episode.local.source == "call"
            and episode.activation is None
            and episode.stop.scope == stop.scope
        ]
        return min(candidates, key=lambda episode: episode.stop.mode != stop.mode, default=None)

    def _until(self) -> float:
        if self._closed:
            return lease.NONE
        until = self._lease_until
        if not self._follows_console or (self._keep and self._known and not self._behind):
            until = float("inf")
        return min(until, self._watch_until) if self._watched else until

    def _publish(self) -> None:
        self._version += 1
        version = None
        # A signal handler may stop trading in the midst of this, in this very thread: then what was read is out of date.
        while version != self._version:
            version = self._version
            local = [x.stop for x in self._local if self.override is None or x.source == "file"]
            stops = () if self.override else self._snapshot.stops
            self.view = View(self._own, self._snapshot.epoch, self._until(), (*stops, *local))
            for reader in self._readers:
                reader(self.view.deadline)
        self._waiting = [entry for entry in self._waiting if not self._met(entry)]

    def _met(self, entry: tuple[Callable[[View], bool], Future[View]]) -> bool:
        condition, future = entry
        if not condition(self.view):
            return False
        if future.set_running_or_notify_cancel():
            future.set_result(self.view)
        return True
