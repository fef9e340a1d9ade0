"""The values above the charts, as live parts: one for each panel, the same for everybody."""

from collections.abc import Mapping
from functools import partial

from django.template.loader import render_to_string
from django.utils import timezone

from monitoring.metrics.headlines import Headline, headlines
from monitoring.metrics.panels import PAGES, Page
from opsconsole.live.feeds import LivePart, register_part
from opsconsole.live.shared import Shared

# Announced with each batch that is counted.
TOPICS = frozenset({"metrics"})


def register() -> None:
    """Called once, from `MonitoringConfig.ready()`."""
    for page in PAGES.values():
        shared = Shared(partial(_headlines, page))
        for panel in page.panels:
            register_part(
                LivePart(
                    target=target(panel.key),
                    topics=TOPICS,
                    render=partial(_render, shared, panel.key),
                    pages=frozenset({live_page(page)}),
                    shared=(shared,),
                )
            )


def live_page(page: Page) -> str:
    return f"metrics-{page.name}"


def target(key: str) -> str:
    return f"now-{key}"


def _headlines(page: Page) -> Mapping[str, Headline]:
    return headlines(page, now=timezone.now())


def _render(shared: Shared[Mapping[str, Headline]], key: str) -> str:
    context = {"target": target(key), "headline": shared.get()[key], "now": timezone.now()}
    return render_to_string("metrics/now.html", context)
