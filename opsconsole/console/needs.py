"""What needs somebody, gathered from every capability that there is; the most urgent first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse
from django.utils import timezone

from alerts import board
from killswitch import drills
from killswitch.choices import CommandState
from killswitch.drills import Due
from killswitch.models import CommandResult
from killswitch.selectors import Status
from opsconsole.checklist import selectors as checklist
from opsconsole.checklist.choices import Progress
from opsconsole.console.templatetags.console import milliseconds

ALERT_ROWS = 6


@dataclass(frozen=True, slots=True)
class Need:
    """`bad`: it must not wait. `key` makes the row's id; `url` and `act` are its one control."""

    key: str
    bad: bool
    icon: str
    word: str
    title: str
    text: str
    url: str
    act: str


@dataclass(frozen=True, slots=True)
class Board:
    """What the card shows, in this order: what must not wait, alerts by due time, and what can wait. `open`: alerts, counted."""

    bad: list[Need]
    alerts: list[board.Row]
    open: board.Open
    rest: list[Need]

    @property
    def total(self) -> int:
        return len(self.bad) + self.open.total + len(self.rest)

    @property
    def hidden(self) -> int:
        """Alerts that have no row here."""
        return self.open.total - len(self.alerts)


_also: list[Callable[[datetime], Sequence[Need]]] = []


def register(read: Callable[[datetime], Sequence[Need]]) -> None:
    """`read` gives what else needs somebody, at that time. Called once for each, from an app's `ready()`."""
    _also.append(read)


def gathered(status: Status, *, now: datetime | None = None) -> Board:
    """As many queries as `needs()`, and two of the alerts."""
    found = needs(status, now=now)
    return Board(
        bad=[need for need in found if need.bad],
        alerts=board.needing(limit=ALERT_ROWS, now=now),
        open=board.opened(now=now),
        rest=[need for need in found if not need.bad],
    )


def needs(status: Status, *, now: datetime | None = None) -> list[Need]:
    """However many processes there are: four queries, those of the checklist until it is signed off, and what those take that have registered."""
    page = reverse("kill-switch")
    found = []
    for client in status.clients:
        key = f"client-{client.client_id}"
        if client.override:
            text = str(client.override.get("message") or "is_active was set by its own code")
            title = f"{client.name} ignores stops"
            found.append(
                Need(
                    f"{key}-override",
                    True,
                    "alert-triangle",
                    "OVERRIDE",
                    title,
                    text,
                    f"{page}#proof",
                    "Look",
                )
            )
        if client.local_stop:
            text = str(
                client.local_stop.get("message") or client.local_stop.get("reason") or "no reason given"
            )
            title = f"{client.name} is stopped on its host"
            found.append(
                Need(f"{key}-local", False, "lock", "HOST STOP", title, text, f"{page}#proof", "Look")
            )
    if status.scopes:
        found += _left_open(page)
    found += [*_checklist(now), *_drill(drills.due(now=now))]
    for read in _also:
        found += read(now or timezone.now())
    return sorted(found, key=lambda need: not need.bad)


def _checklist(now: datetime | None) -> list[Need]:
    """Today's, until somebody has signed it off."""
    today = checklist.today(now=now)
    if not today.wanted or today.due is None:
        return []
    found, due = checklist.evaluated(now=now), timezone.localtime(today.due)
    overdue = today.progress == Progress.OVERDUE
    when = f"Was due by {due:%H:%M}" if overdue else f"Due by {due:%H:%M}"
    left = f". Left: {found.left}" if found.not_green else ". All green"
    word = f"{found.green} of {len(found.lines)}"
    title = "Daily checklist is not signed off" if overdue else "Daily checklist"
    return [Need("checklist", False, "checkbox", word, title, when + left, reverse("checklist"), "Open")]


def _drill(drill: Due) -> list[Need]:
    """The next drill, when it is due or will be soon."""
    if not drill.wanted or drill.due is None:
        return []
    due = timezone.localtime(drill.due)
    title = "Stop drill is due" if drill.overdue or drill.last is None else "Next stop drill"
    if drill.last is None:
        text = "None has been run yet"
    else:
        last, slowest = timezone.localtime(drill.last.activated_at), milliseconds(drill.last.time_to_stop_ms)
        text = f"{'Due since' if drill.overdue else 'Due by'} {due.day} {due:%b %H:%M}. Last: {last.day} {last:%b}, {slowest}"
    return [Need("drill", False, "target", "DRILL", title, text, reverse("drills"), "Start…")]


def _left_open(page: str) -> list[Need]:
    """Commands that a process did not carry out while something is stopped."""
    failed = CommandResult.objects.filter(
        state__in=[CommandState.FAILED, CommandState.EXPIRED],
        command__activation__ended_at=None,
        command__activation__isnull=False,
    ).count()
    if not failed:
        return []
    title = f"{failed} command{'' if failed == 1 else 's'} not carried out"
    return [
        Need(
            "commands",
            True,
            "alert-triangle",
            "VENUE",
            title,
            "Orders may be left at the venue",
            f"{page}#left",
            "Look",
        )
    ]
