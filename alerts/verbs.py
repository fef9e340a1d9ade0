"""What a button in a chat can do that belongs to a later app: stop trading. The kill switch hands it in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from alerts.halts import GLOBAL
from opsconsole.audit.actor import Actor


@dataclass(frozen=True, slots=True)
class Stopped:
    """`changed`: this call stopped it; else it was stopped already, by `by`."""

    changed: bool
    scope: str
    by: str


class TradingStop(Protocol):
    """How trading is stopped."""

    @property
    def permission(self) -> str:
        """What whoever stops must have, such as `killswitch.stop`."""
        ...

    def scope_of(self, labels: Mapping[str, str]) -> str:
        """The part of trading that an alert with these labels is about; `global` when they name none."""
        ...

    def stop(self, *, actor: Actor, scope: str, message: str, key: str) -> Stopped:
        """Stop it. Called outside of a transaction, and returns after the commit.

        The same `key` again, by the same person within a few minutes, stops nothing that was re-armed meanwhile.
        """
        ...


_stops: list[TradingStop] = []


def register_stop(stop: TradingStop) -> None:
    """Called once, from the `ready()` of the app that can."""
    if _stops:
        raise RuntimeError("a way to stop trading is registered already")
    _stops.append(stop)


def trading_stop() -> TradingStop | None:
    """None: this installation has none."""
    return _stops[0] if _stops else None


def scope_of(labels: Mapping[str, str]) -> str:
    """The part of trading that an alert with these labels is about; `global` when they name none."""
    stop = trading_stop()
    return GLOBAL if stop is None else stop.scope_of(labels)
