"""The pieces of pages that refresh themselves: counts beside the navigation, what the system page says, and the pulse of the others."""

import time
from functools import partial

from django.db.models import Max
from django.template.loader import render_to_string
from django.utils import timezone

from monitoring.health import about, board
from monitoring.health.models import HealthChange
from opsconsole.live import badges
from opsconsole.live.feeds import LivePart, register_part
from opsconsole.live.shared import Shared

# Announced when a status changes, and when what is looked at does.
TOPICS = frozenset({"health"})
# Whatever the one word for the whole system depends on.
SYSTEM = TOPICS | {"killswitch", "clients", "alerts", "breakers"}
PULSED = frozenset({"health", "health-component"})
BADGES = ("nav-health", "tab-health")
# Seconds. Results by themselves are not announced; the hub looks at a part every 15 s all the same.
BEAT = 10

tally = Shared(lambda: board.tally(now=timezone.now()))


def register() -> None:
    """Called once, from `MonitoringConfig.ready()`."""
    for target in BADGES:
        register_part(LivePart(target=target, topics=TOPICS, render=partial(_badge, target), shared=(tally,)))
    register_part(LivePart(target="health-pulse", topics=TOPICS, render=pulse, pages=PULSED, shared=(tally,)))
    pages = frozenset({"health-system"})
    register_part(LivePart(target="system-answer", topics=SYSTEM, render=system_answer, pages=pages))
    register_part(LivePart(target="system-running", topics=TOPICS, render=system_running, pages=pages))


def _badge(target: str) -> str:
    return badges.drawn(target, tally.get().badge)


def pulse() -> str:
    """Differs when a page of health has something new to ask for: a status, or after a while the newest results."""
    counted = tally.get()
    seen = (
        HealthChange.objects.aggregate(newest=Max("pk"))["newest"],
        *(counted.unhealthy, counted.degraded, counted.silent, counted.idle, counted.calm),
        int(time.time()) // BEAT,
    )
    return render_to_string("health/parts/pulse.html", {"beat": "-".join(str(one) for one in seen)})


def system_answer() -> str:
    return render_to_string("health/parts/answer.html", {"answer": about.answer()})


def system_running() -> str:
    now = timezone.now()
    return render_to_string("health/parts/running.html", {"about": about.read(now=now), "now": now})
