"""The alert that a day was not signed off in time. It is over when somebody signs, or with the day."""

import logging
from datetime import datetime

from django.db import DatabaseError, transaction

from alerts.choices import Category, Priority
from alerts.services.raised import RaisedAlert
from alerts.services.submitting import submit
from monitoring.day import span_of
from opsconsole.audit.actor import Actor
from opsconsole.checklist.models import ChecklistDay

logger = logging.getLogger(__name__)

ACTOR = Actor.system("checklist")
SOURCE = "checklist"


def unsigned(
    row: ChecklistDay, *, due: datetime | None = None, resolved: bool = False, now: datetime
) -> None:
    """In a savepoint, so that whatever is wrong with the alerts cannot undo the change that they tell of."""
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
    try:
        with transaction.atomic():
            submit(actor=ACTOR, alert=alert, now=now)
    except (DatabaseError, ValueError):
        logger.exception("The alert of the checklist could not be raised")
