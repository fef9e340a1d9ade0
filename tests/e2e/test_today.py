"""Today on the overview, and the curve beside an alert, in a browser: axe, every width, and what is new."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from alerts.models import Alert
from monitoring.metrics.models import Series
from opsconsole.accounts.models import User
from opsconsole.live.publish import publish
from tests.alert_rows import an_alert
from tests.console import ConsoleProcess
from tests.desk import Desk
from tests.e2e.test_access import NARROW, fits, look, nothing_to_find
from tests.e2e.visitor import sign_in, wait_for_link

pytestmark = pytest.mark.browser


@pytest.fixture
def alert(now: datetime) -> Alert:
    """As one of the console's own triggers raised it twenty minutes ago."""
    raised = now - timedelta(minutes=20)
    labels = {"trigger": "daily-loss-usd", "metric": "portfolio_daily_pnl_usd"}
    return an_alert(
        source="triggers", labels=labels, details={"threshold": -20_000}, starts_at=raised, first_at=raised
    )


def test_axe_finds_nothing_in_today_and_it_fits_every_width(
    page: Page, alice: User, desk: Desk, now: datetime, said: list[str]
) -> None:
    sign_in(page, alice)
    look(page, "today", ("/",))
    expect(page.locator("#today .oc-curve path")).to_be_attached()


def test_axe_finds_nothing_in_an_alert_with_a_curve_and_it_fits_every_width(
    page: Page, alice: User, alert: Alert, said: list[str]
) -> None:
    sign_in(page, alice)
    look(page, "curve", (f"/alerts/{alert.pk}",))
    page.locator("#alert-curve-table summary").click()
    expect(page.locator("#alert-curve-table tbody tr").first).to_be_visible()
    nothing_to_find(page, "curve with a table")
    fits(page, "curve with a table")


def test_the_overview_fits_a_screen_while_trading(desktop: Page, desk: Desk, now: datetime) -> None:
    desktop.goto("/")
    expect(desktop.locator("#state[data-state=trading]")).to_be_attached()
    expect(desktop.locator("#today .oc-curve")).to_be_visible()
    assert desktop.evaluate("document.documentElement.scrollHeight") <= 900


def test_today_follows_what_is_reported(desktop: Page, now: datetime) -> None:
    desktop.goto("/")
    wait_for_link(desktop)
    expect(desktop.locator("#today .oc-figure")).to_have_text("−$3,200.00")
    with transaction.atomic():
        Series.objects.filter(name="portfolio_daily_pnl_usd").update(value=-4_500, at=timezone.now())
        publish("metrics")
    expect(desktop.locator("#today .oc-figure")).to_have_text("−$18,000.00")
    expect(desktop.locator("#today .oc-meters")).to_contain_text("near the limit")


def test_five_tabs_each_on_one_line_and_the_menu_without_a_script(
    browser: Browser, console: ConsoleProcess, alice: User
) -> None:
    context = browser.new_context(
        base_url=console.url, java_script_enabled=False, viewport={"width": NARROW, "height": 640}
    )
    page = context.new_page()
    sign_in(page, alice)
    page.goto("/")
    tabs = page.locator(".oc-tabs > a, .oc-tabs > button")
    expect(tabs).to_have_count(5)
    heights = [tabs.nth(number).bounding_box() for number in range(5)]
    assert {box["height"] for box in heights if box} == {heights[0] and heights[0]["height"]}
    page.locator("#tab-more").click()
    page.locator(".oc-tabs-more").get_by_role("link", name="Metrics").click()
    expect(page.get_by_role("heading", name="System", level=1)).to_be_visible()
    context.close()
