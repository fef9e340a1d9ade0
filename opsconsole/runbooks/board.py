"""An incident as its page shows it: each step with its value as it is now, its button, and who did it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.safestring import SafeString

from monitoring.breakers.models import CircuitBreaker
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from opsconsole.accounts.people import who_may
from opsconsole.runbooks import presses, readings
from opsconsole.runbooks.choices import AT_ONCE, Press, StepKind
from opsconsole.runbooks.filling import with_console
from opsconsole.runbooks.models import Incident, IncidentStep, Procedure
from opsconsole.runbooks.presses import BUTTONS, Button
from opsconsole.runbooks.readings import Reading
from opsconsole.runbooks.selectors import Detail, StepRow
from opsconsole.runbooks.text import as_html

ICONS = {
    StepKind.READ: "search",
    StepKind.COMMAND: "keyboard",
    StepKind.PRESS: "target",
    StepKind.CONFIRM: "pencil",
}

MOST_KNOWN = 200


@dataclass(frozen=True, slots=True)
class Step:
    """`button` None: it has none. `leads_to`: the page that its button opens; empty: it acts at once. `refused`: who may instead of the reader."""

    row: StepRow
    reading: Reading | None
    button: Button | None
    leads_to: str
    refused: str
    command: str
    open: bool

    @property
    def step(self) -> IncidentStep:
        return self.row.step

    @property
    def icon(self) -> str:
        return "circle-check" if self.row.done else ICONS[StepKind(self.step.kind)]

    @property
    def html(self) -> SafeString:
        return as_html(self.step.text)

    @property
    def stop(self) -> bool:
        """The one button that is red."""
        return self.step.what == Press.STOP


@dataclass(frozen=True, slots=True)
class Card:
    """A runbook of the incident. `next_id`: the first step that is not done."""

    procedure: Procedure
    steps: list[Step]
    done: int
    next_id: int | None


@dataclass(frozen=True, slots=True)
class Board:
    incident: Incident
    cards: list[Card]
    detail: Detail
    now: datetime

    @property
    def lasted(self) -> timedelta:
        return (self.incident.closed_at or self.now) - self.incident.since

    @property
    def until_started(self) -> timedelta | None:
        """From the first alert until somebody began; None: there was no alert before."""
        found = self.incident.started_at - self.incident.since
        return found if found >= timedelta(seconds=1) else None


def board(found: Detail, *, user: User, address: str, now: datetime) -> Board:
    """A few queries for each step that shows a value. `address`: the console's own."""
    shown: dict[tuple[str, str], Reading] = {}
    cards = []
    for rows in found.procedures:
        steps = [_step(found, row, user, address, now, shown) for row in rows.steps]
        first = next((step.step.pk for step in steps if not step.row.done), None)
        cards.append(Card(rows.procedure, steps, rows.done, first if found.incident.is_open else None))
    return Board(found.incident, cards, found, now)


def _step(
    found: Detail,
    row: StepRow,
    user: User,
    address: str,
    now: datetime,
    shown: dict[tuple[str, str], Reading],
) -> Step:
    """`shown`: what was read for other steps; the same is not read twice."""
    step, open_ = row.step, found.incident.is_open
    reading = None
    # What a value was during a closed incident is in its timeline.
    if step.kind == StepKind.READ and open_:
        key = (step.what, step.target)
        if key not in shown:
            shown[key] = readings.reading(*key, user=user, now=now)
        reading = shown[key]
    button = BUTTONS[Press(step.what)] if step.kind == StepKind.PRESS and open_ else None
    refused = ""
    if button is not None and not user.has_perm(button.permission):
        people = ", ".join(who_may(button.permission)) or "nobody has that role yet"
        refused = f"{button.act} needs {button.role}: {people}"
    return Step(
        row,
        reading,
        button,
        _leads_to(found, step) if button is not None else "",
        refused,
        with_console(step.command, address),
        open_,
    )


def _leads_to(found: Detail, step: IncidentStep) -> str:
    if Press(step.what) in AT_ONCE:
        return ""
    back = f"{reverse('incident', args=[found.incident.pk])}#step-{step.pk}"
    alert = next((one.alert_id for one in found.alerts if one.alert_id is not None), None)
    return presses.leads_to(step, alert, back=back)


def known_values(names: Iterable[str]) -> dict[str, list[str]]:
    """What can be chosen for values of these names, where the console knows them."""
    return {name: list(KNOWN[name]()[:MOST_KNOWN]) for name in names if name in KNOWN}


KNOWN: Mapping[str, Callable[[], "QuerySet[Any, str]"]] = {
    "breaker": lambda: CircuitBreaker.objects.values_list("name", flat=True),
    "component": lambda: HealthComponent.objects.filter(retired_at=None).values_list("slug", flat=True),
}
