"""The alert that a day was not signed off in time. It is over when somebody signs, or with the day."""

from datetime import datetime

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit_beside
from monitoring.day import span_of
from opsconsole.audit.actor import Actor
from opsconsole.checklist.models import ChecklistDay

ACTOR = Actor.system("checklist")
SOURCE = "checklist"


def unsigned(
    row: ChecklistDay, *, due: datetime | None = None, resolved: bool = False, now: datetime
) -> None:
    by = f" It was due by {due:%H:%M %Z}." if due else ""
    alert = RaisedAlert(
        category=Category.PERFORMANCE,
        priority=Priority.MEDIUM,
        title="Daily checklist is not signed off",
        message=f"Nobody has signed off the checklist of {row.day:%d %b %Y}.{by}",
        labels={"checklist": row.day.isoformat()},
        details={"day": row.day.isoformat()},
        source=SOURCE,
        ends_at=None if resolved else span_of(row.day).end,
        resolved=resolved,
        dedupe_key=f"checklist:{row.day.isoformat()}",
    )
    submit_beside(actor=ACTOR, alert=alert, now=now)
