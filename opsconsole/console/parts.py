"""The overview's live parts. They read from several apps, so they belong to the console."""

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from killswitch import bar, proof, selectors
from monitoring.breakers import board as breakers
from monitoring.breakers import parts as breaker_parts
from monitoring.health import board as health
from monitoring.health import parts as health_parts
from opsconsole.audit import search
from opsconsole.console import needs, today
from opsconsole.live import badges
from opsconsole.live.feeds import LivePart, register_part

PAGE = frozenset({"overview"})
SWITCH = frozenset({"killswitch", "proofs", "clients"})
BREAKERS = breaker_parts.TOPICS
EVENTS = 8


def register() -> None:
    """Called once, from `ConsoleConfig.ready()`."""
    register_part(LivePart(target="broken", topics=BREAKERS | health_parts.TOPICS, render=broken, pages=PAGE))
    register_part(
        LivePart(
            target="needs",
            topics=SWITCH | {"commands", "alerts", "incidents", "checklist", "health", "breakers"},
            render=needs_you,
            pages=PAGE,
        )
    )
    register_part(
        LivePart(
            target="today", topics=frozenset({"metrics", "killswitch", "triggers"}), render=today_, pages=PAGE
        )
    )
    register_part(LivePart(target="who", topics=SWITCH, render=who, pages=PAGE))
    register_part(
        LivePart(
            target="more-badge",
            topics=BREAKERS | health_parts.TOPICS,
            render=more,
            shared=(breaker_parts.tally, health_parts.tally),
        )
    )
    register_part(LivePart(target="just", topics=frozenset({"audit"}), render=just_happened, pages=PAGE))


def broken() -> str:
    now = timezone.now()
    return _render("broken", broken_now=breakers.glance(now=now), health_now=health.glance(now=now))


def needs_you() -> str:
    return _render("needs", needs=needs.gathered(selectors.status()))


def today_() -> str:
    return _render("today", today=today.read(now=timezone.now()))


def more() -> str:
    """Of what stands behind "More" on the phone."""
    return badges.drawn(
        "more-badge", badges.together([breaker_parts.tally.get().badge, health_parts.tally.get().badge])
    )


def who() -> str:
    status = selectors.status()
    return _render("who", bar=bar.of(status), proof=proof.Board(status))


def just_happened() -> str:
    return _render("just", events=search.newest(EVENTS))


def _render(part: str, **context: Any) -> str:
    return render_to_string(f"console/parts/{part}.html", context)
