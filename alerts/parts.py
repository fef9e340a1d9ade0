"""The pieces of pages that refresh themselves. They are the same for everybody: nothing in them depends on who looks."""

from functools import partial
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from alerts import board
from alerts.alertmanager import posted
from alerts.models import Alert
from opsconsole.live import badges
from opsconsole.live.feeds import LivePart, register_part

TOPICS = frozenset({"alerts"})
LISTS = frozenset({"alerts"})
BADGES = ("nav-alerts", "tab-alerts")
# Pages that ask for their own parts when something has changed, since what they show depends on their address.
PULSED = frozenset({"alerts", "alert", "alert-channels", "alert-silences"})


def register() -> None:
    """Called once, from `AlertsConfig.ready()`."""
    for target in BADGES:
        register_part(LivePart(target=target, topics=TOPICS, render=partial(_badge, target)))
    register_part(LivePart(target="alerts-news", topics=TOPICS, render=news))
    register_part(LivePart(target="needing", topics=TOPICS, render=needing, pages=LISTS))
    register_part(
        LivePart(
            target="alerts-pulse",
            topics=TOPICS | {"deliveries", "channels", "silences", "rules"},
            render=pulse,
            pages=PULSED,
        )
    )


def _badge(target: str) -> str:
    return badges.drawn(target, board.opened().badge)


def news() -> str:
    return _render("news", rows=board.newest_urgent())


def needing() -> str:
    return _render("needing", **needing_context())


def needing_context() -> dict[str, Any]:
    """What #needing shows: four queries at most."""
    now = timezone.now()
    found = board.needing(now=now)
    last = None if found else Alert.objects.order_by("-id").first()
    return {
        "rows": found,
        "open": board.opened(now=now),
        "last": last and board.Row(last, now),
        "undecided": posted.waiting(),
    }


def pulse() -> str:
    return _render("pulse", now=timezone.now())


def _render(part: str, **context: Any) -> str:
    return render_to_string(f"alerts/parts/{part}.html", context)
