"""The console's snapshot, as the stream's `state` event carries it. Pure: text in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from opsclient.errors import ProtocolError
from opsclient.reasons import Mode, known_reason


@dataclass(frozen=True, slots=True)
class Stop:
    """One scope that is not ACTIVE. `activation` is None while only this process knows of it."""

    scope: str
    mode: Mode
    reason: str
    message: str
    metadata: dict[str, Any] = field(hash=False)
    since: str
    by: str
    activation: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The stop with the field names of the API."""
        return {
            "scope": self.scope,
            "mode": str(self.mode),
            "reason": str(self.reason),
            "message": self.message,
            "metadata": self.metadata,
            "since": self.since,
            "by": self.by,
            "activation": self.activation,
        }


@dataclass(frozen=True, slots=True)
class Drill:
    """A rehearsal: it is acknowledged like a stop, and trading goes on."""

    activation: int
    scope: str


@dataclass(frozen=True, slots=True)
class Command:
    """An operator's order to cancel orders or close positions, for the clients in `targets`."""

    id: int
    kind: str
    targets: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is in force at `epoch`."""

    epoch: int
    stops: tuple[Stop, ...] = ()
    drills: tuple[Drill, ...] = ()
    commands: tuple[Command, ...] = ()


def number(data: Mapping[str, Any], name: str) -> float:
    """A finite number of an event's data. Raises ProtocolError naming the field."""
    value = data.get(name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or value != value
        or abs(value) == float("inf")
    ):
        raise ProtocolError(f"the field {name!r} of the stream must be a number, not {value!r:.60}")
    return float(value)


def integer(data: Mapping[str, Any], name: str) -> int:
    """A whole number of an event's data. Raises ProtocolError naming the field."""
    value = data.get(name)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProtocolError(f"the field {name!r} of the stream must be a whole number, not {value!r:.60}")
    return value


def parse(data: Mapping[str, Any]) -> Snapshot:
    """The snapshot in a `state` event. Raises ProtocolError: a state that cannot be read must not be applied."""
    return Snapshot(
        epoch=integer(data, "epoch"),
        stops=tuple(_stop(row) for row in _rows(data, "switches") if row.get("mode") != Mode.ACTIVE),
        drills=tuple(Drill(integer(row, "activation"), _text(row, "scope")) for row in _rows(data, "drills")),
        commands=tuple(_command(row) for row in _rows(data, "commands")),
    )


def _stop(row: Mapping[str, Any]) -> Stop:
    metadata = row.get("metadata")
    return Stop(
        scope=_text(row, "scope"),
        # A mode that this client does not know forbids something; only the strictest reading is safe.
        mode=Mode.REDUCE_ONLY if row.get("mode") == Mode.REDUCE_ONLY else Mode.HALTED,
        reason=known_reason(str(row.get("reason") or "MANUAL")),
        message=str(row.get("message") or ""),
        metadata=dict(metadata) if isinstance(metadata, Mapping) else {},
        since=str(row.get("since") or ""),
        by=str(row.get("by") or ""),
        activation=integer(row, "activation"),
    )


def _command(row: Mapping[str, Any]) -> Command:
    targets = row.get("targets")
    if not isinstance(targets, list):
        raise ProtocolError("the field 'targets' of a command must be a list")
    return Command(integer(row, "id"), _text(row, "kind"), tuple(t for t in targets if isinstance(t, int)))


def _rows(data: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    rows = data.get(name, [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise ProtocolError(f"the field {name!r} of the stream must be a list of objects")
    return rows


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value:
        raise ProtocolError(f"the field {name!r} of the stream must be a text, not {value!r:.60}")
    return value
