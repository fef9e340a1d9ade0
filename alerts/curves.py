"""The curve of the value that an alert is about. Alerts know no metrics: whoever has some hands in who draws it."""

import logging
from collections.abc import Callable
from datetime import datetime

from django.utils.safestring import SafeString, mark_safe

from alerts.models import Alert

logger = logging.getLogger(__name__)

# The HTML of a card for this alert, as it stands at that time; empty when the alert is none of theirs.
Draw = Callable[[Alert, datetime], SafeString]

_drawn_by: list[Draw] = []


def register(draw: Draw) -> None:
    """Called once for each, from the app's `ready()`."""
    _drawn_by.append(draw)


def curve(alert: Alert, *, now: datetime) -> SafeString:
    """Of the first who has one; empty when nobody has. What cannot be drawn keeps nobody from the alert."""
    for draw in _drawn_by:
        try:
            if drawn := draw(alert, now):
                return drawn
        except Exception:
            logger.exception("The curve of alert %s could not be drawn", alert.pk)
    return mark_safe("")
