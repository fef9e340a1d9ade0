"""The pieces of pages that refresh themselves: counts beside the navigation, and the pulse by which the breakers' pages ask for theirs."""

import time
from dataclasses import astuple
from functools import partial

from django.db.models import Max
from django.template.loader import render_to_string
from django.utils import timezone

from monitoring.breakers import board
from monitoring.breakers.locking import version_now
from monitoring.breakers.models import BreakerApplied, BreakerTransition
from opsconsole.live import badges
from opsconsole.live.feeds import LivePart, register_part
from opsconsole.live.shared import Shared

# Announced with each report, with each command, and when a process comes or goes.
TOPICS = frozenset({"breakers", "clients"})
PULSED = frozenset({"breakers", "breaker", "breaker-act"})
BADGES = ("nav-breakers", "tab-breakers")
# Seconds after which counts are asked for again though no state has changed: processes report as often.
BEAT = 10

tally = Shared(lambda: board.tally(now=timezone.now()))


def register() -> None:
    """Called once, from `MonitoringConfig.ready()`."""
    for target in BADGES:
        register_part(LivePart(target=target, topics=TOPICS, render=partial(_badge, target), shared=(tally,)))
    register_part(
        LivePart(target="breakers-pulse", topics=TOPICS, render=pulse, pages=PULSED, shared=(tally,))
    )


def _badge(target: str) -> str:
    return badges.drawn(target, tally.get().badge)


def pulse() -> str:
    """What has changed is all in it: states, commands, and who has applied them. Counts change all the time, so they wait for the next beat."""
    counted = tally.get()
    seen = (
        BreakerTransition.objects.aggregate(newest=Max("pk"))["newest"],
        version_now(),
        BreakerApplied.objects.filter(at=None).count(),
        *astuple(counted),
        int(time.time()) // BEAT,
    )
    return render_to_string("breakers/parts/pulse.html", {"beat": "-".join(str(one) for one in seen)})
