"""What the layout shows on every page: navigation, the clock's zone, who is signed in, and the state of trading."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from alerts import board
from killswitch import bar, selectors
from monitoring.breakers import board as breakers
from monitoring.health import board as health


@dataclass(frozen=True, slots=True)
class Place:
    """A main page: its address, its word, its icon, and the key that goes there after G."""

    name: str
    label: str
    icon: str
    key: str
    # What its number counts, by its name in the context; empty: it has none.
    counts: str = ""
    # Names of further pages that it leads to.
    further: tuple[str, ...] = ()
    # On the phone it stands behind "More": there is room for five tabs.
    more: bool = False
    # In the top row. Others are reached from the overview, the palette, the phone's "More" and by their key.
    top: bool = True

    @property
    def url(self) -> str:
        return reverse(self.name)

    @property
    def covers(self) -> tuple[str, ...]:
        return tuple(reverse(name) for name in self.further)


# One line for each page that exists. The phone's tabs show the same.
PLACES = (
    Place("overview", "Overview", "layout-dashboard", "o"),
    Place("alerts", "Alerts", "bell", "a", counts="alert_tally", further=("incidents", "runbooks")),
    Place("kill-switch", "Kill switch", "octagon", "k"),
    Place("breakers", "Breakers", "circuit-switch-open", "b", counts="breaker_tally", more=True),
    Place("health", "Health", "activity-heartbeat", "h", counts="health_tally", more=True),
    Place(
        "metrics-system",
        "Metrics",
        "chart-line",
        "m",
        further=("metrics-trading", "metrics-cost", "metrics-risk"),
        more=True,
    ),
    Place("checklist", "Checklist", "checkbox", "c", more=True, top=False),
    Place("audit", "Audit", "history", "u"),
)


def layout(request: HttpRequest) -> dict[str, Any]:
    """Everything is lazy: the admin and the plain pages ask for none of it."""
    now = timezone.localtime()
    state = SimpleLazyObject(lambda: bar.of(selectors.status()))
    return {
        "places": PLACES,
        "bar": state,
        "breaker_tally": SimpleLazyObject(lambda: breakers.tally(now=timezone.now())),
        "health_tally": SimpleLazyObject(lambda: health.tally(now=timezone.now())),
        "alert_tally": SimpleLazyObject(board.opened),
        "news": SimpleLazyObject(board.newest_urgent),
        "server_now": now,
        "zone_name": settings.TIME_ZONE,
        "zone_label": settings.TIME_ZONE.rsplit("/", 1)[-1].replace("_", " "),
        "zone_offset": f"UTC{now.isoformat()[-6:]}",
    }
