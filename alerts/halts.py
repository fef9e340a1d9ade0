"""What is stopped on purpose, so that alarms which only follow from it are not told. The kill switch hands in how to ask."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

# An alert with this label and value is expected while a stop covers it.
LABEL, VALUE = "expected_when", "halted"
GLOBAL = "global"
# Labels that name a part of trading: `symbol="AAPL"` is the scope `symbol:AAPL`.
SCOPE_LABELS = ("account", "venue", "strategy", "symbol")


@dataclass(frozen=True, slots=True)
class Halt:
    """A stop that is in force. `activation`: its number."""

    scope: str
    since: datetime
    activation: int


_readers: list[Callable[[], Sequence[Halt]]] = []


def register_reader(reader: Callable[[], Sequence[Halt]]) -> None:
    """Called once, from the `ready()` of the app that knows."""
    if _readers:
        raise RuntimeError("a reader of halts is registered already")
    _readers.append(reader)


def is_asked(labels: Mapping[str, str]) -> bool:
    """Whether an alert with these labels may be expected at all."""
    return labels.get(LABEL) == VALUE


def current() -> tuple[Halt, ...]:
    """The stops in force now: one query."""
    return tuple(halt for reader in _readers for halt in reader())


def covering(labels: Mapping[str, str], halts: Sequence[Halt]) -> Halt | None:
    """The stop that an alert with these labels follows from, if one does: the global one, or one of a scope that the labels name."""
    if not is_asked(labels):
        return None
    named = {GLOBAL, labels.get("scope", GLOBAL)}
    named |= {f"{kind}:{labels[kind]}" for kind in SCOPE_LABELS if kind in labels}
    return next((halt for halt in halts if halt.scope in named), None)
