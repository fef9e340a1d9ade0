"""The metrics' pages in a browser: charts are drawn, stay within the page, and take in what is new."""

from datetime import datetime

import pytest
from django.db import connection, transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from monitoring.metrics.models import Series
from monitoring.metrics.panels import PAGES
from opsconsole.accounts.models import User
from opsconsole.live.publish import publish
from tests.console import ConsoleProcess
from tests.e2e.test_access import fits, look, nothing_to_find
from tests.e2e.visitor import sign_in, wait_for_link
from tests.metrics.rows import minute

pytestmark = pytest.mark.browser


def drawn(page: Page, panel: str) -> int:
    """How many points of a chart's canvas have something on them."""
    return int(
        page.evaluate(
            """(panel) => {
                const canvas = document.querySelector(`[data-panel="${panel}"] canvas`);
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                let count = 0;
                for (let at = 3; at < data.length; at += 4) if (data[at]) count += 1;
                return count;
            }""",
            panel,
        )
    )


def test_draws_every_panel_at_a_desk(desktop: Page, now: datetime) -> None:
    for name, listed in PAGES.items():
        desktop.goto(f"/{name}")
        for panel in listed.panels:
            if panel.key != "activations":
                expect(desktop.locator(f'[data-panel="{panel.key}"] canvas')).to_be_visible()
                assert drawn(desktop, panel.key) > 500, panel.key


def test_axe_finds_nothing_and_it_fits_every_width(
    page: Page, alice: User, now: datetime, said: list[str]
) -> None:
    sign_in(page, alice)
    for name in PAGES:
        look(page, "metrics", (f"/{name}",))
        page.locator(".oc-m-table").first.evaluate("(details) => { details.open = true; }")
        nothing_to_find(page, f"/{name} with a table")
        fits(page, f"/{name} with a table")


def test_takes_in_what_is_new(desktop: Page, now: datetime) -> None:
    desktop.clock.install()
    desktop.goto("/risk?range=15m")
    legend = desktop.locator('[data-panel="breaches"] .u-legend')
    expect(legend).to_be_visible()
    row = Series.objects.get(name="volatility_breach_total", client="IBM")
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM monitoring_minute WHERE series_id = %s", [row.pk])
    minute(row, f"{timezone.now():%Y-%m-%d %H:%M}", 4321)
    with desktop.expect_response(lambda response: "/risk/points" in response.url) as answered:
        desktop.clock.run_for(10_500)
    assert "since=" in answered.value.url
    box = desktop.locator('[data-panel="breaches"] .u-over').bounding_box()
    assert box is not None
    desktop.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    expect(legend).to_contain_text("4,321")


def test_values_follow_what_is_reported(desktop: Page, now: datetime) -> None:
    desktop.goto("/trading")
    wait_for_link(desktop)
    expect(desktop.locator("#now-value")).to_contain_text("$4,000,000.00")
    with transaction.atomic():
        Series.objects.filter(name="portfolio_value_usd", client="IBM").update(value=1_234, at=timezone.now())
        publish("metrics")
    expect(desktop.locator("#now-value")).to_contain_text("$3,001,234.00")


def test_moves_on_with_the_time(desktop: Page, now: datetime) -> None:
    def later(route: Route) -> None:
        """The answer of a minute later: one step leaves at the left, and a new one comes."""
        answer = route.fetch()
        data = answer.json()
        data["start"] += data["step"]
        data["panels"]["breaches"]["lines"][0]["values"][-1] = 9876
        route.fulfill(response=answer, json=data)

    desktop.clock.install()
    desktop.route("**/risk/points*", later)
    desktop.goto("/risk?range=15m")
    chart = desktop.locator('[data-panel="breaches"]')
    expect(chart.locator("canvas")).to_be_visible()
    with desktop.expect_response(lambda response: "/risk/points" in response.url):
        desktop.clock.run_for(10_500)
    box = chart.locator(".u-over").bounding_box()
    assert box is not None
    desktop.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20)
    expect(chart.locator(".u-legend")).to_contain_text("9,876")


def test_follows_the_theme(desktop: Page, now: datetime) -> None:
    desktop.goto("/system?range=1h")
    expect(desktop.locator("[data-panel=requests] canvas")).to_be_visible()
    picture = "document.querySelector('[data-panel=requests] canvas').toDataURL()"
    light = desktop.evaluate(picture)
    desktop.locator("#theme").click()
    desktop.wait_for_function(f"(light) => {picture} !== light", arg=light)


def test_has_values_and_tables_without_a_script(
    browser: Browser, console: ConsoleProcess, alice: User, now: datetime
) -> None:
    context = browser.new_context(base_url=console.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, alice)
    page.goto("/trading")
    expect(page.locator("#now-value")).to_contain_text("$4,000,000.00")
    expect(page.locator(".oc-m-chart").first).to_be_hidden()
    page.locator("#panel-value summary").click()
    expect(page.locator("#panel-value tbody tr").first).to_be_visible()
    context.close()
