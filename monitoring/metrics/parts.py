"""The values above the charts, as live parts: one for each panel, the same for everybody."""

import threading
import time
from functools import partial

from django.template.loader import render_to_string
from django.utils import timezone

from monitoring.metrics.headlines import Headline, headlines
from monitoring.metrics.panels import PAGES, Page
from opsconsole.live.feeds import LivePart, register_part

# Announced with each batch that is counted.
TOPICS = frozenset({"metrics"})
# Seconds for which the panels of one page share what was read.
SHARED = 0.5


def register() -> None:
    """Called once, from `MonitoringConfig.ready()`."""
    for page in PAGES.values():
        shared = Shared(page)
        for panel in page.panels:
            register_part(
                LivePart(
                    target=target(panel.key),
                    topics=TOPICS,
                    render=partial(_render, shared, panel.key),
                    pages=frozenset({live_page(page)}),
                )
            )


def live_page(page: Page) -> str:
    return f"metrics-{page.name}"


def target(key: str) -> str:
    return f"now-{key}"


class Shared:
    """One page's headlines, read once for all of its parts."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._found: dict[str, Headline] = {}

    def get(self) -> dict[str, Headline]:
        with self._lock:
            if time.monotonic() - self._read_at > SHARED:
                self._found = headlines(self._page, now=timezone.now())
                self._read_at = time.monotonic()
            return self._found


def _render(shared: Shared, key: str) -> str:
    context = {"target": target(key), "headline": shared.get()[key], "now": timezone.now()}
    return render_to_string("metrics/now.html", context)
