"""What the console says of circuit breakers, read and remembered (docs/protocol.md). Pure.

Each row is a level, not an edge: what has been missed costs nothing, and what comes twice changes nothing.
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from opsclient.breaker.choices import CircuitState
from opsclient.breaker.holds import Hold, Shared
from opsclient.errors import ProtocolError
from opsclient.snapshot import integer, number

logger = logging.getLogger("opsclient")

OfHub = Callable[
    [float], float
]  # from what is left, in seconds, at the event's time, to a time of `opsclient.clock.now`


@dataclass(frozen=True, slots=True)
class Row:
    """What the console has to say of one breaker. Times are those of `opsclient.clock.now`."""

    name: str
    version: int
    config: Mapping[str, Any] | None = None
    hold: Hold | None = None
    reset: int | None = None
    shared: Shared | None = None


@dataclass(frozen=True, slots=True)
class News:
    """A row that is new, and whether a reset came with it."""

    row: Row
    reset: bool


class Book:
    """The newest row of each breaker that the console has spoken of."""

    def __init__(self) -> None:
        self.version = 0
        self.rows: dict[str, Row] = {}
        self._resets: dict[str, int] = {}
        self._has_begun = False

    def take(self, data: Mapping[str, Any], until: OfHub) -> list[News]:
        """What is new in an event, or in the answer to a report. A row that cannot be read is logged and left out.

        Raises ProtocolError if the event as a whole cannot be read.
        """
        version = integer(data, "version")
        whole = data.get("whole") is True
        rows = data.get("breakers")
        if not isinstance(rows, list):
            raise ProtocolError(f"the field 'breakers' must be a list, not {rows!r:.60}")
        first, self._has_begun = not self._has_begun, True
        found = [row for row in (_readable(given, until) for given in rows) if row is not None]
        if whole:
            listed = {row.get("name") for row in rows if isinstance(row, Mapping)}
            found += [
                Row(name, version) for name in self.rows if name not in listed and not self._is_empty(name)
            ]
        news = [self._note(row, done=first) for row in found if self._is_new(row)]
        self.version = max(self.version, version)
        return news

    def begin(self) -> None:
        """The console had nothing to say yet: any reset that comes now is a new one."""
        self._has_begun = True

    def _is_new(self, row: Row) -> bool:
        known = self.rows.get(row.name)
        return known is None or row.version > known.version

    def _is_empty(self, name: str) -> bool:
        row = self.rows[name]
        return row.config is None and row.hold is None and row.shared is None

    def _note(self, row: Row, *, done: bool) -> News:
        self.rows[row.name] = row
        newest = self._resets.get(row.name, 0)
        if row.reset is None or row.reset <= newest:
            return News(row, reset=False)
        self._resets[row.name] = row.reset
        return News(row, reset=not done)


def _readable(given: object, until: OfHub) -> Row | None:
    try:
        if not isinstance(given, Mapping):
            raise ProtocolError(f"a row must be an object, not {given!r:.60}")
        return _row(given, until)
    except ProtocolError as error:
        logger.error("the console's word on a circuit breaker cannot be read and is left out: %s", error)
        return None


def _row(data: Mapping[str, Any], until: OfHub) -> Row:
    name = data.get("name")
    if not isinstance(name, str) or not name:
        raise ProtocolError(f"the field 'name' must be a text, not {name!r:.60}")
    reset = data.get("reset")
    return Row(
        name=name,
        version=integer(data, "version"),
        config=_object(data, "config"),
        hold=_hold(_object(data, "hold"), until),
        reset=None if reset is None else integer(data, "reset"),
        shared=_shared(_object(data, "shared"), until),
    )


def _hold(data: Mapping[str, Any] | None, until: OfHub) -> Hold | None:
    if data is None:
        return None
    state = _state(data)
    if state is CircuitState.HALF_OPEN:
        raise ProtocolError("a hold must be OPEN or CLOSED, not HALF_OPEN")
    left = data.get("left_s")
    ends = math.inf if left is None else until(number(data, "left_s"))
    return Hold(state, str(data.get("by") or "")[:200], str(data.get("reason") or "")[:500], ends)


def _shared(data: Mapping[str, Any] | None, until: OfHub) -> Shared | None:
    if data is None:
        return None
    left = data.get("left_s")
    ends = -math.inf if left is None else until(number(data, "left_s"))
    return Shared(_state(data), integer(data, "generation"), ends)


def _state(data: Mapping[str, Any]) -> CircuitState:
    try:
        return CircuitState(str(data.get("state")))
    except ValueError:
        raise ProtocolError(f"the field 'state' must be a state, not {data.get('state')!r:.60}") from None


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    value = data.get(name)
    if value is not None and not isinstance(value, Mapping):
        raise ProtocolError(f"the field {name!r} must be an object or null, not {value!r:.60}")
    return value
