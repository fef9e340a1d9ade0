"""What the hub carries, as others register it. The live bus knows no app by name: apps hand in a feed and parts."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from opsconsole.live.shared import Shared

# Seconds. Leases are given only while the database takes writes: a hub that could not note its streams for this long gives none, for a stop could
# not be committed either. So `lease_until`, noted now, covers every lease until the next note: now + this + the term.
LEASE_COVER = 10.0


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """A trading process asking for its stream. `query` holds each parameter's values in order; header names are lower case."""

    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    ip: str
    hub: str


@dataclass(frozen=True, slots=True)
class StreamGrant:
    """Who may hold a stream."""

    client_id: int
    # One stream for each; a newer one of the same key replaces the older.
    key: str
    label: str
    # When, as registered: it tells this stream from a later one of the same process.
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class StreamRefused(Exception):
    """The stream is not given: an HTTP status (the feed uses 400, 401 and 403) and the API's error body."""

    status: int
    code: str
    message: str
    details: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StreamEnd:
    """A stream that has ended. `lease_until`: the last time, by the database's clock, at which a lease it carried may count."""

    client_id: int
    opened_at: datetime
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """An acknowledgement: the process has applied this epoch, and allows nothing that these activations forbid."""

    client_id: int
    epoch: int
    activations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The answer to it. `unknown`: activations that the console does not have."""

    acknowledged: list[int]
    unknown: list[int]


class TradingFeed(Protocol):
    """What the trading processes' stream carries. All methods but `snapshot_sql` run in a pool thread, with Django's connections."""

    @property
    def snapshot_sql(self) -> str:
        """A single statement that yields one row (epoch bigint, db_now timestamptz = clock_timestamp(), state jsonb)."""
        ...

    @property
    def topics(self) -> frozenset[str]:
        """The topics whose announcement makes the snapshot stale, so that it is read again at once."""
        ...

    def open(self, request: StreamRequest) -> StreamGrant:
        """Authenticate, check and register the process, in a committed transaction, before any lease is given. Raises StreamRefused.

        The process's `lease_until` becomes the database's now + LEASE_COVER + the term.
        """
        ...

    def closed(self, ends: Iterable[StreamEnd], *, hub: str) -> None:
        """Note that these streams have ended: only where the process still has this `hub` and this `opened_at`, for it may be back already."""
        ...

    def touch(self, client_ids: Iterable[int], *, hub: str, lease_until: datetime) -> set[int]:
        """Note that these streams are open, and until when leases given to them may count. Called every few seconds.

        Touches only processes that still have this `hub`, and returns their ids; the streams of all others are ended as replaced.
        """
        ...

    def acknowledge(self, told: Sequence[Told]) -> list[Acknowledged]:
        """Record these acknowledgements of processes whose streams this hub holds. The answers are in their order."""
        ...

    def settle(self, *, epoch: int, waited: float, hub: str, own_leases_until: datetime | None) -> bool:
        """Record the proofs that time alone gives, for activations up to `epoch` (see docs/protocol.md).

        `waited`: seconds, by the caller's monotonic clock, since it first saw `epoch` committed; a full term settles every process.
        `own_leases_until`: set once the leases that this hub gave under older epochs are over by its monotonic clock, with the end of
        the last of them by the database's clock; that settles the hub's own streams earlier.
        Returns whether something is still open, so that the caller comes again.
        """
        ...


@dataclass(frozen=True, slots=True)
class SideNews:
    """What a side feed has to say. `version`: grows with each change of it; `whole` and `changes`: the event's data, to which the hub adds `s`.

    `changes`: since the version that was asked for; None where none was.
    """

    version: int
    whole: Mapping[str, Any]
    changes: Mapping[str, Any] | None


class SideFeed(Protocol):
    """Something else that the trading processes' stream carries: after the kill switch, apart from it, and never at its cost.

    What it says are levels, not edges: a process that got the whole of it needs nothing of before.
    """

    @property
    def event(self) -> str:
        """The name of its events."""
        ...

    @property
    def topics(self) -> frozenset[str]:
        """The topics whose announcement makes it to be read at once."""
        ...

    def version(self) -> int:
        """The newest version: one cheap read, in a pool thread, every few seconds."""
        ...

    def read(self, above: int | None) -> SideNews:
        """Everything, and what has changed since version `above` (None: nothing was read yet). In a pool thread."""
        ...


@dataclass(frozen=True, slots=True)
class LivePart:
    """A piece of a page that refreshes itself: `render()` gives the HTML that replaces the element with the id `target`.

    The HTML is the same for everybody, so it is rendered once for all open pages; what depends on the person
    stays outside. `topics`: what makes it stale.
    `urgent` parts go out at once, all others at most once a second. `pages`: the pages that carry it; empty means every page.
    `shared`: what it reads together with others; an announcement makes that stale, too.
    """

    target: str
    topics: frozenset[str]
    render: Callable[[], str]
    urgent: bool = False
    pages: frozenset[str] = frozenset()
    shared: tuple[Shared[Any], ...] = ()


_trading: list[TradingFeed] = []
_sides: dict[str, SideFeed] = {}
_parts: dict[str, LivePart] = {}


def register_trading_feed(feed: TradingFeed) -> None:
    """Called once, from the app's `ready()`."""
    if _trading:
        raise RuntimeError("a trading feed is registered already")
    _trading.append(feed)


def trading_feed() -> TradingFeed:
    return _trading[0]


def register_side_feed(feed: SideFeed) -> None:
    """Called once for each event, from the app's `ready()`."""
    if feed.event in _sides:
        raise RuntimeError(f"a side feed for the event {feed.event} is registered already")
    _sides[feed.event] = feed


def side_feeds() -> tuple[SideFeed, ...]:
    return tuple(_sides.values())


def register_part(part: LivePart) -> None:
    if part.target in _parts:
        raise RuntimeError(f"a live part for #{part.target} is registered already")
    _parts[part.target] = part


def parts_of(page: str) -> tuple[LivePart, ...]:
    return tuple(part for part in _parts.values() if not part.pages or page in part.pages)
