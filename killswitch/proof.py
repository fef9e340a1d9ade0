"""The proof, process by process, ready to be drawn: which rows are shown, which are folded, and where each point lies."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from killswitch.choices import Mode, ProofState
from killswitch.selectors import Proof, ScopeState, Status
from killswitch.state import GLOBAL, covers

AXIS_START_MS = 10.0
BOUND_AT = 90.0  # percent of the axis at which the bound stands
AXIS_END = 97.0
# Up to so many processes each has its row; beyond, only the abnormal ones.
ROWS = 24
SCOPE_ROWS = 16
TICKS = ((10.0, "10 ms"), (100.0, "100 ms"), (1000.0, "1 s"), (10_000.0, "10 s"))


def place(ms: float, term_ms: float) -> str:
    """Where `ms` lies on the logarithmic axis, in percent, as SVG wants it. The scripts grow waiting lines by the same rule."""
    x = BOUND_AT * math.log10(max(ms, AXIS_START_MS) / AXIS_START_MS) / math.log10(term_ms / AXIS_START_MS)
    return f"{min(AXIS_END, max(0.0, x)):.1f}".removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Tick:
    x: str
    label: str


@dataclass(frozen=True)
class Row:
    """One process. `since`: start of the wait; `deadline`: when its lease is over at the latest; `covered_by`: the stop that concerns it."""

    client: Proof
    x: str
    since: datetime | None
    deadline: datetime | None
    covered_by: str

    @property
    def waiting(self) -> bool:
        return self.client.proof == ProofState.PENDING

    @property
    def may_trade(self) -> bool:
        return not self.covered_by

    @property
    def callbacks_failed(self) -> bool:
        return any(not result.get("ok") for result in self.client.callbacks)

    @property
    def callback_words(self) -> str:
        """`on_kill_switch_activate done`, or which of them failed and how."""
        failed = [result for result in self.client.callbacks if not result.get("ok")]
        if failed:
            return "; ".join(
                f"{result.get('name')} failed: {result.get('error') or 'no reason given'}"
                for result in failed
            )
        return ", ".join(map(_done, self.client.callbacks)) or "Stopped; no callback"

    @property
    def abnormal(self) -> bool:
        if self.waiting or self.client.override or self.client.local_stop or self.callbacks_failed:
            return True
        if self.client.proof is None:
            return self.client.lease != "held" and not self.covered_by
        return self.client.proof == ProofState.LEASE_EXPIRED


@dataclass(frozen=True)
class Board:
    """All processes of one status. Abnormal ones never fold. `address`: where a process would connect to."""

    status: Status
    address: str = "http://127.0.0.1:8000"

    @cached_property
    def episode(self) -> ScopeState | None:
        """The stop or drill that the clients' proofs belong to."""
        shown = [*self.status.scopes, *([self.status.drill] if self.status.drill else [])]
        return next((item for item in shown if item.activation_id == self.status.proof_of), None)

    @property
    def about(self) -> str:
        """What the proofs belong to: `stop`, `drill`, or nothing."""
        if self.episode is None:
            return ""
        return "drill" if self.episode is self.status.drill else "stop"

    @cached_property
    def ticks(self) -> list[Tick]:
        """Decades well below the bound, so that no label meets the bound's."""
        term = float(self.status.term_ms)
        return [Tick(place(ms, term), label) for ms, label in TICKS if ms < term * 0.6]

    @cached_property
    def _all(self) -> list[Row]:
        return [self._row(client) for client in self.status.clients]

    @property
    def rows(self) -> list[Row]:
        if len(self._all) <= ROWS:
            return self._all
        return [row for row in self._all if row.abnormal]

    @property
    def calm(self) -> list[Row]:
        if len(self._all) <= ROWS:
            return []
        return [row for row in self._all if not row.abnormal]

    @property
    def calm_words(self) -> str:
        """What the folded ones have in common."""
        proven = [row.client.proof_ms for row in self.calm if row.client.proof_ms is not None]
        if proven and len(proven) == len(self.calm):
            return f"{'measured' if self.about == 'drill' else 'acknowledged'}, slowest {max(proven):.0f}\u00a0ms"
        held = sum(row.client.lease == "held" for row in self.calm)
        return f"{held} hold a lease"

    def _row(self, client: Proof) -> Row:
        episode = self.episode
        waited = (self.status.server_time - episode.since).total_seconds() * 1000 if episode else 0.0
        ms = client.proof_ms if client.proof_ms is not None else waited
        return Row(
            client=client,
            x=place(ms, float(self.status.term_ms)),
            since=episode.since if episode else None,
            deadline=episode.deadline if episode else None,
            covered_by=self._covered_by(client),
        )

    def _covered_by(self, client: Proof) -> str:
        for scope in self.status.scopes:
            if scope.mode == Mode.HALTED and covers(scope.scope, client.scopes):
                return f"{scope.scope} is stopped"
        return ""


@dataclass(frozen=True, slots=True)
class ScopeRow:
    """A scope: its switch, if it is not ACTIVE, and how many connected processes name it."""

    name: str
    switch: ScopeState | None
    processes: int


@dataclass(frozen=True)
class Scopes:
    """`global` first, then by name. Of many, those that are switched are shown, and the others fold."""

    rows: list[ScopeRow]
    calm: list[ScopeRow]


def scopes(status: Status) -> Scopes:
    switched = {scope.scope: scope for scope in status.scopes}
    connected = [client for client in status.clients if client.connected]
    named = Counter(scope for client in connected for scope in set(client.scopes))
    named[GLOBAL] = len(connected)
    names = [GLOBAL, *sorted((set(named) | set(switched)) - {GLOBAL})]
    every = [ScopeRow(name=name, switch=switched.get(name), processes=named[name]) for name in names]
    if len(every) <= SCOPE_ROWS:
        return Scopes(rows=every, calm=[])
    shown = [row for row in every if row.switch is not None or row.name == GLOBAL]
    return Scopes(rows=shown, calm=[row for row in every if row not in shown])


def _done(result: Mapping[str, Any]) -> str:
    """What a callback did; of orders and positions, how many. A count that is null is not known."""
    name = f"{result.get('name')} done"
    counts = [
        f"{'unknown' if result[count] is None else result[count]} {words}"
        for count, words in (("cancelled", "done"), ("left", "left"), ("unknown", "unknown"))
        if count in result
    ]
    return f"{result.get('name')}: {', '.join(counts)}" if counts else name
