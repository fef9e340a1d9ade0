"""The pages System, Trading, Cost and Risk: values, charts, and the same as tables."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path
from django.utils import timezone
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_GET

from monitoring.metrics.charts import (
    RANGES,
    USUAL,
    Drawn,
    Grid,
    Range,
    TableRow,
    draw,
    grid,
    spread,
    table,
)
from monitoring.metrics.headlines import headlines
from monitoring.metrics.marks import Mark, marks
from monitoring.metrics.panels import PAGES, Page
from monitoring.metrics.parts import live_page, target
from monitoring.metrics.units import STATES, shown
from opsconsole.accounts.people import needs

# Of the year 9999, after which there is no time.
LATEST = 253_402_300_799
# Marks that are also written down; the charts show all.
LISTED_MARKS = 12
MAY_READ = needs("monitoring.view_series", what="Reading metrics", role="a viewer")


def _page(page: Page) -> Callable[[HttpRequest], HttpResponse]:
    # Tables and points shrink to an eighth.
    @gzip_page
    @require_GET
    @MAY_READ
    def view(request: HttpRequest) -> HttpResponse:
        asked, now = _Asked(request.GET), timezone.now()
        asked.is_valid()
        chosen = asked.chosen()
        steps = grid(chosen, now=now)
        drawn, found = draw(page, steps), marks(steps)
        above = headlines(page, now=now)
        context = {
            "page": live_page(page),
            "shown": page,
            "ranges": RANGES.values(),
            "chosen": chosen,
            "asked": asked,
            "now": now,
            "panels": [
                {
                    "panel": item.panel,
                    "target": target(item.panel.key),
                    "headline": above[item.panel.key],
                    "labels": [track.label for track in item.tracks],
                    "rows": [_row(row, item) for row in table(item.tracks, steps)],
                    "empty": not any(cell for track in item.tracks for cell in track.cells),
                    "more": item.more,
                    "spread": spread(item),
                }
                for item in drawn
            ],
            "marks": found[::-1][:LISTED_MARKS],
            "marks_total": len(found),
            "data": _data(drawn, found, steps),
        }
        return render(request, "metrics/page.html", context)

    return view


def _points(page: Page) -> Callable[[HttpRequest], HttpResponse]:
    # Tables and points shrink to an eighth.
    @gzip_page
    @require_GET
    @MAY_READ
    def view(request: HttpRequest) -> HttpResponse:
        """The charts' numbers from the time `since` on, or all. 400 for a range or a time that is none."""
        asked = _Asked(request.GET)
        if not asked.is_valid():
            return JsonResponse({"errors": asked.errors}, status=400)
        steps = grid(asked.chosen(), now=timezone.now())
        if (since := asked.cleaned_data["since"]) is not None:
            steps = steps.since(datetime.fromtimestamp(since, UTC))
        return JsonResponse(_data(draw(page, steps), marks(steps), steps))

    return view


class _Asked(forms.Form):
    """What of the time axis is wanted: `since` in seconds since 1970."""

    range = forms.ChoiceField(
        required=False,
        choices=[(name, name) for name in RANGES],
        error_messages={"invalid_choice": f"range: must be one of {', '.join(RANGES)}, not %(value)s."},
    )
    since = forms.IntegerField(
        required=False,
        min_value=0,
        max_value=LATEST,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value"),
            f"since: must be seconds since 1970, a whole number from 0 to {LATEST}.",
        ),
    )

    def chosen(self) -> Range:
        """The usual one, if none is wanted or what is wanted is none."""
        return RANGES[self.cleaned_data.get("range") or USUAL]


def _row(row: TableRow, item: Drawn) -> dict[str, Any]:
    return {"at": row.at, "numbers": [_word(number, item) for number in row.numbers]}


def _word(number: float | None, item: Drawn) -> str:
    if number is not None and item.panel.key == "breakers":
        return STATES.get(round(number), shown(number, ""))
    if number is not None and item.panel.key == "switch":
        return "stopped" if number else "trading"
    return "–" if number is None else shown(number, item.panel.unit)


def _data(drawn: list[Drawn], found: list[Mark], steps: Grid) -> dict[str, Any]:
    """What static/console/metrics.js draws."""
    return {
        "start": int(steps.start.timestamp()),
        "step": int(steps.step.total_seconds()),
        "count": len(steps.times),
        "panels": {
            item.panel.key: {
                "unit": item.panel.unit,
                "style": item.panel.style,
                "top": item.panel.top,
                "lines": [{"label": track.label, "values": track.numbers(steps)} for track in item.tracks],
            }
            for item in drawn
        },
        "marks": [
            {"kind": mark.kind, "from": mark.start.timestamp(), "to": mark.end and mark.end.timestamp()}
            for mark in found
        ],
    }


urlpatterns = [
    pattern
    for page in PAGES.values()
    for pattern in (
        path(page.name, _page(page), name=live_page(page)),
        path(f"{page.name}/points", _points(page), name=f"{live_page(page)}-points"),
    )
]
