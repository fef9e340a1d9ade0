"""The watchdog as a live part of pages: of its own page, of health, and of system information."""

from django.template.loader import render_to_string

from monitoring.health.watchdog import selectors
from monitoring.health.watchdog.canaries import TOPIC
from opsconsole.live.feeds import LivePart, register_part

PAGES = frozenset({"watchdog", "health", "health-system"})
ROUNDS = 30


def register() -> None:
    """Called once, from `ready()`."""
    topics = frozenset({TOPIC, "health"})
    register_part(LivePart(target="watchdog", topics=topics, render=watchdog, pages=PAGES))
    register_part(
        LivePart(target="canaries", topics=frozenset({TOPIC}), render=canaries, pages=frozenset({"watchdog"}))
    )


def watchdog() -> str:
    return render_to_string("health/parts/watchdog.html", {"watchdog": selectors.watched()})


def canaries() -> str:
    return render_to_string("health/parts/canaries.html", {"canaries": selectors.canaries(limit=ROUNDS)})
