"""An alert on its way, and the bounded queue in which it waits until the console has it."""

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from itertools import islice
from uuid import uuid4

from opsclient import clock
from opsclient.alerts.alert import Alert
from opsclient.alerts.choices import AlertDecision, AlertPriority
from opsclient.alerts.result import AlertResult

PARCEL = 50
PARCEL_BYTES = 256 * 1024


@dataclass(eq=False, slots=True)
class Entry:
    """One alert on its way. `answered` is what its caller is told, once; the way goes on after it.

    key: of the alert, for the console to tell a repetition. parcel: the key of the request that it belongs to once there was
    one; from then on it travels in no other, so that nothing is taken twice. kept: whether it waits for a console at all.
    counts: whether its loss is told; the loss of that very message is not, or it would go on for ever.
    """

    alert: Alert
    key: str = field(default_factory=lambda: uuid4().hex)
    kept: bool = True
    counts: bool = True
    parcel: str = ""
    sent_directly: bool = False
    stored: bool = False
    # Neither waiting nor under way any more: the console has it, or it is given up.
    over: bool = False
    since: float = field(default_factory=clock.now)
    failures: int = 0
    size: int = 0
    answered: "Future[AlertResult]" = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.size = self.size or len(json.dumps(self.alert.body())) + 100

    @property
    def urgent(self) -> bool:
        """Whether somebody must come now."""
        return self.alert.urgency is AlertPriority.CRITICAL and not self.alert.resolved

    def answer(self, result: AlertResult) -> None:
        """Tell the caller; the first answer counts."""
        with contextlib.suppress(InvalidStateError):
            self.answered.set_result(result)

    def waiting(self, why: str) -> AlertResult:
        """The result while the console has not decided."""
        decision = AlertDecision.QUEUED if self.kept else AlertDecision.UNSENT
        if self.kept:
            text = f"queued: {why}; it goes to the console as soon as that is possible"
        else:
            text = f"the console has not been told: {why}" if self.sent_directly else f"not sent: {why}"
        if self.sent_directly:
            text = f"sent directly; {text}"
        return AlertResult(decision, text, self.alert, sent_directly=self.sent_directly)


class Queue:
    """The alerts that the console does not have yet, oldest first, bounded by number and by bytes.

    When it is full the oldest of the least urgent goes, and is counted in `lost`. What travels already stays.
    """

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._entries: dict[str, Entry] = {}
        # Those that have been in no request, by priority, oldest first: whose turn it is to go.
        self._loose: dict[AlertPriority, dict[str, Entry]] = {priority: {} for priority in AlertPriority}
        self._bytes = 0
        self._lost: Counter[str] = Counter()
        self._fresh: list[Entry] = []
        self._over: list[str] = []
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def bytes(self) -> int:
        """About how much the waiting alerts take."""
        return self._bytes

    def entries(self) -> list[Entry]:
        """All that wait, oldest first."""
        with self._lock:
            return list(self._entries.values())

    def add(self, entry: Entry) -> list[Entry]:
        """Queue one alert. Returns what had to go for it, which may be itself."""
        with self._lock:
            self._put(entry)
            return self._make_room()

    def put_first(self, entries: Iterable[Entry]) -> list[Entry]:
        """Queue alerts that are older than all that wait. Returns what had to go for them."""
        with self._lock:
            mine = list(self._entries.values())
            self._entries, self._bytes = {}, 0
            self._loose = {priority: {} for priority in AlertPriority}
            for entry in (*entries, *mine):
                self._put(entry)
            return self._make_room()

    def parcel(self) -> list[Entry]:
        """What the next request carries: what it carried before if there was one, else the oldest that fit into it."""
        with self._lock:
            first = next(iter(self._entries.values()), None)
            if first is None:
                return []
            if first.parcel:
                return [entry for entry in self._entries.values() if entry.parcel == first.parcel]
            chosen, size = [first], first.size
            for entry in islice(self._entries.values(), 1, PARCEL):
                size += entry.size
                if entry.parcel or size > PARCEL_BYTES:
                    break
                chosen.append(entry)
            key = first.key if len(chosen) == 1 else uuid4().hex
            for entry in chosen:
                entry.parcel = key
                self._loose[entry.alert.urgency].pop(entry.key, None)
            return chosen

    def split(self, entries: Iterable[Entry]) -> None:
        """Let each travel alone; for a request of which the console has taken nothing."""
        with self._lock:
            for entry in entries:
                entry.parcel = entry.key

    def remove(self, entries: Iterable[Entry], *, lost: bool = False) -> None:
        """These need not wait any more."""
        with self._lock:
            for entry in entries:
                self._drop(entry)
                if lost:
                    self._lost[entry.alert.urgency] += 1

    def add_losses(self, lost: dict[str, int]) -> None:
        """Count what an earlier process had lost."""
        with self._lock:
            self._lost.update(lost)

    def losses(self) -> dict[str, int]:
        """How many of each priority are lost and not told yet."""
        with self._lock:
            return dict(self._lost)

    def take_losses(self) -> dict[str, int]:
        """As `losses`; from then on they count as told."""
        with self._lock:
            lost, self._lost = dict(self._lost), Counter()
            return lost

    def take_fresh(self) -> list[Entry]:
        """What still waits of the alerts that came since the last call and are not stored."""
        with self._lock:
            fresh, self._fresh = self._fresh, []
            return [entry for entry in fresh if not entry.stored and not entry.over]

    def give_back(self, fresh: Iterable[Entry]) -> None:
        """These could not be stored."""
        with self._lock:
            self._fresh = [*fresh, *self._fresh]

    def take_over(self) -> list[str]:
        """The keys of stored alerts that are over since the last call."""
        with self._lock:
            keys, self._over = self._over, []
            return keys

    def _put(self, entry: Entry) -> None:
        if entry.key in self._entries:
            return
        self._entries[entry.key] = entry
        self._bytes += entry.size
        if not entry.parcel:
            self._loose[entry.alert.urgency][entry.key] = entry
        if not entry.stored:
            self._fresh.append(entry)

    def _make_room(self) -> list[Entry]:
        gone: list[Entry] = []
        while len(self._entries) > self._most or self._bytes > self._most_bytes:
            least = next((waiting for waiting in self._loose.values() if waiting), None)
            if least is None:
                break
            entry = next(iter(least.values()))
            self._drop(entry)
            self._lost[entry.alert.urgency] += 1
            gone.append(entry)
        return gone

    def _drop(self, entry: Entry) -> None:
        if self._entries.pop(entry.key, None) is not None:
            self._loose[entry.alert.urgency].pop(entry.key, None)
            self._bytes -= entry.size
            entry.over = True
            if entry.stored:
                self._over.append(entry.key)
