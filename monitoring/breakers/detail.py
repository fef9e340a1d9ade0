"""One breaker as its page shows it: its processes, and who of them has done what operators told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from monitoring.breakers import board, selectors
from monitoring.breakers.board import ICONS, TONES, WORDS, rate_words
from monitoring.breakers.choices import State
from monitoring.breakers.models import BreakerState, BreakerTransition
from monitoring.breakers.selectors import BreakerView
from monitoring.breakers.wording import why_words

# With more processes than this, those that are closed and up to date are folded.
MOST_ROWS = 8
# Of a breaker that nobody reports now: processes that did.
LAST_HEARD = 20


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """What one process says. `told`: the newest version that it was told of this breaker; `gone`: it is not there any more."""

    state: BreakerState
    told: int
    gone: bool

    @property
    def forced(self) -> bool:
        return bool(self.state.forced)

    @property
    def word(self) -> str:
        return f"FORCED {WORDS[self.state.state]}" if self.forced else WORDS[self.state.state]

    @property
    def icon(self) -> str:
        return "lock" if self.forced else ICONS[self.state.state][0]

    @property
    def filled(self) -> bool:
        return not self.forced and ICONS[self.state.state][1]

    @property
    def tone(self) -> str:
        if self.gone:
            return "oc-muted"
        return TONES.get(self.state.state, "oc-warn" if self.forced else "")

    @property
    def behind(self) -> bool:
        return self.state.applied < self.told

    @property
    def rate(self) -> str:
        return rate_words(self.state.failure_rate, self.state.calls)

    @property
    def calm(self) -> bool:
        return not self.gone and self.state.state == State.CLOSED and not self.forced and not self.behind

    @property
    def pid(self) -> int | None:
        stream = self.state.process.stream
        return stream.pid if stream is not None else None


@dataclass(frozen=True, slots=True)
class Processes:
    """`rows`: the worst first; `calm`: closed and up to date, where there are many; `obeying`: how many are as an operator forced them."""

    rows: Sequence[ProcessRow]
    calm: Sequence[ProcessRow]
    there: Sequence[BreakerState]
    obeying: int

    @property
    def behind(self) -> int:
        return sum(row.behind for row in self.rows if not row.gone)


def processes(view: BreakerView, *, now: datetime) -> Processes:
    """One query."""
    states = selectors.processes(view.id, now=now, gone=view.stale)
    rows = [ProcessRow(state, view.version, gone=view.stale) for state in states]
    if view.stale:
        newest = sorted(rows, key=lambda row: row.state.reported_at, reverse=True)[:LAST_HEARD]
        return Processes(newest, [], [], 0)
    many = len(rows) > MOST_ROWS
    held = view.held.state if view.held is not None else None
    return Processes(
        rows=[row for row in rows if not (many and row.calm)],
        calm=[row for row in rows if many and row.calm],
        there=states,
        obeying=sum(state.forced == held for state in states) if held else 0,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """One change of state in a process."""

    change: BreakerTransition

    @property
    def before(self) -> str:
        return WORDS[self.change.from_state]

    @property
    def after(self) -> str:
        return WORDS[self.change.to_state]

    @property
    def tone(self) -> str:
        return TONES.get(self.change.to_state, "")

    @property
    def why(self) -> str:
        return why_words(self.change.why)

    @property
    def ms(self) -> float:
        """How long it was in the state before."""
        return self.change.in_previous_s * 1000


@dataclass(frozen=True, slots=True)
class Scope:
    """What an act would reach, as the page that asks shows it."""

    row: board.Row
    states: Sequence[BreakerState]

    @property
    def counted(self) -> str:
        """`3 OPEN, 1 CLOSED`."""
        counts = self.row.view.processes
        parts = [(counts.open, "OPEN"), (counts.half_open, "HALF-OPEN"), (counts.closed, "CLOSED")]
        return ", ".join(f"{number:,} {word}" for number, word in parts if number)

    @property
    def was(self) -> str:
        """The hold that is shown: an act is refused when there is another by then."""
        held = self.row.view.held
        return f"{held.state} {held.at.isoformat()}" if held is not None else ""
