"""What runbooks hand to other parts of the console. Called once, from `RunbooksConfig.ready()`."""

from datetime import datetime

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from alerts import runbooks as alerts
from alerts.models import Alert
from opsconsole.console import needs
from opsconsole.live.feeds import LivePart, register_part
from opsconsole.runbooks import matching, selectors
from opsconsole.runbooks.models import Incident

PAGES = frozenset({"incident", "incidents"})
TOPICS = frozenset(
    {"incidents", "audit", "alerts", "breakers", "health", "killswitch", "proofs", "clients", "runbooks"}
)
# Open incidents that the overview names.
NAMED = 3
SHOWN_WORK = 3


def register() -> None:
    alerts.register(help_for)
    needs.register(needed)
    register_part(LivePart(target="incidents-pulse", topics=TOPICS, render=pulse, pages=PAGES))


def help_for(alert: Alert) -> alerts.Help:
    """Three queries. A runbook that is open for it already is not offered again."""
    work = selectors.of_alert(alert.pk, limit=SHOWN_WORK)
    at_work = selectors.opened_in([one for one in work if one.is_open])
    return alerts.Help(
        guides=[
            alerts.Guide(
                runbook.slug,
                runbook.name,
                runbook.summary,
                f"{reverse('runbook', args=[runbook.slug])}?alert={alert.pk}",
                reverse("runbook-open", args=[runbook.slug]),
            )
            for runbook in matching.for_alert(alert)
            if runbook.pk not in at_work
        ],
        work=[
            alerts.Work(one.pk, one.is_open, _words(one), reverse("incident", args=[one.pk])) for one in work
        ],
    )


def needed(now: datetime) -> list[needs.Need]:
    """Incidents that are open. One query."""
    return [
        needs.Need(
            f"incident-{one.pk}",
            False,
            "route",
            "INCIDENT",
            one.title,
            f"#{one.pk}, {_words(one)}",
            reverse("incident", args=[one.pk]),
            "Continue",
        )
        for one in selectors.open_incidents(limit=NAMED)
    ]


def pulse() -> str:
    return render_to_string("runbooks/parts/pulse.html", {"now": timezone.now()})


def _words(incident: Incident) -> str:
    state = "open" if incident.is_open else f"closed by {incident.closed_by}"
    total, done = (getattr(incident, name) for name in ("step_count", "done_count"))
    return f"{state}, {done} of {total} steps ticked" if total else state
