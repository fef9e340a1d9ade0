"""The page System information: may I go to lunch, and what runs here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from monitoring.health import info, system
from monitoring.health.board import Row
from monitoring.health.choices import Kind
from monitoring.health.selectors import Component
from monitoring.health.system import SystemStatus
from monitoring.health.wording import counted

# What a console always has, by the beginning of the names of its processes, and the kind of component that misses it.
EXPECTED = {"web": Kind.HUB, "beat": Kind.BEAT, "worker": Kind.WORKER}
ICONS = {
    "operational": ("circle-check", False),
    "degraded": ("alert-triangle", True),
    "halted": ("player-stop", True),
    "down": ("x", False),
}
TONES = {"degraded": "oc-warn", "halted": "oc-bad", "down": "oc-bad"}


@dataclass(frozen=True, slots=True)
class Answer:
    """May I go to lunch?"""

    status: SystemStatus

    @property
    def word(self) -> str:
        return self.status.word.capitalize()

    @property
    def icon(self) -> str:
        return ICONS[self.status.word][0]

    @property
    def filled(self) -> bool:
        return ICONS[self.status.word][1]

    @property
    def tone(self) -> str:
        return TONES.get(self.status.word, "")

    @property
    def sentence(self) -> str:
        """Yes or no, and why."""
        found, why = self.status, self.status.why
        if found.word == "operational":
            return f"Yes{self._but}. {self._proof}"
        if not why:
            return "No. Not everything is known to be healthy."
        more = len(why) - 1
        rest = f", and {counted(more, 'more thing')}" if more else ""
        return f"No. {why[0]}{rest}."

    @property
    def more(self) -> Sequence[str]:
        """What else is the matter."""
        return [] if self.status.word == "operational" else self.status.why[1:]

    @property
    def _but(self) -> str:
        waiting = self.status.alerts.unacknowledged
        if not waiting:
            return ": nothing needs you"
        return f", if {counted(waiting, 'alert')} can wait: {'it is' if waiting == 1 else 'they are'} neither urgent nor overdue"

    @property
    def _proof(self) -> str:
        clients = self.status.clients_connected
        connected = (
            counted(clients, "trading process", "trading processes") if clients else "no trading process"
        )
        return f"All components are healthy, no breaker is open, trading is allowed, {connected} connected."


@dataclass(frozen=True, slots=True)
class Process:
    """`component`: of a kind of process that nobody has heard of, what tells more."""

    name: str
    host: str = ""
    pid: int | None = None
    started_at: datetime | None = None
    heard_at: datetime | None = None
    uptime: timedelta | None = None
    component: Component | None = None

    @property
    def missing(self) -> bool:
        return self.pid is None


@dataclass(frozen=True, slots=True)
class Server:
    """The database, or the broker. `row`: how it is."""

    title: str
    kind: str
    version: str
    embedded: bool
    row: Row | None


@dataclass(frozen=True, slots=True)
class About:
    """`facts`: names and values; `processes`: heard of within a minute, and what is missing; `uptime`: of the web process that answers."""

    now: datetime
    answer: Answer
    servers: Sequence[Server]
    processes: Sequence[Process]
    uptime: timedelta
    facts: Sequence[tuple[str, str]]
    libraries: Mapping[str, str]
    debug: bool

    @property
    def stale(self) -> Sequence[Component]:
        return self.answer.status.board.stale

    @property
    def missing(self) -> int:
        return sum(process.missing for process in self.processes)


def answer(*, now: datetime | None = None) -> Answer:
    return Answer(system.status(now=now or timezone.now()))


def read(*, now: datetime) -> About:
    """A dozen short queries, whatever there is of anything."""
    found, told = answer(now=now), info.system_info(now=now)
    components = {component.row.kind: component for component in reversed(found.status.board.components)}
    return About(
        now=now,
        answer=found,
        servers=[
            _server("Database", told["database"], components.get(Kind.DATABASE)),
            _server("Broker", told["broker"], components.get(Kind.REDIS)),
        ],
        processes=_processes(told["processes"], components, now),
        uptime=timedelta(seconds=told["uptime_seconds"]),
        facts=[
            ("opsconsole", told["version"]),
            ("Build", told["build"] or "unknown, neither a checkout nor OPSCONSOLE_BUILD tells"),
            ("Python", told["python"]),
            ("Platform", told["platform"]),
            ("Host", told["host"]),
            ("Time zone", told["time_zone"]),
            ("Lease term", f"{told['lease_term_seconds']:g}\u00a0s"),
        ],
        libraries=told["libraries"],
        debug=told["debug"],
    )


def _server(title: str, told: Mapping[str, Any], component: Component | None) -> Server:
    return Server(
        title,
        told["kind"],
        told["version"] or "unknown, it does not answer",
        told["embedded"],
        Row(component) if component else None,
    )


def _processes(
    told: Sequence[Mapping[str, Any]], components: Mapping[str, Component], now: datetime
) -> list[Process]:
    """What has been heard of, and after it each kind of process that nobody has heard of."""
    found = [
        Process(
            one["name"],
            one["host"],
            one["pid"],
            datetime.fromisoformat(one["started_at"]),
            now - timedelta(seconds=one["heard_seconds_ago"]),
            timedelta(seconds=one["uptime_seconds"]),
        )
        for one in told
    ]
    missing = [
        Process(name, component=components.get(kind))
        for name, kind in EXPECTED.items()
        if not any(process.name.partition(":")[0] == name for process in found)
    ]
    return [*found, *missing]
