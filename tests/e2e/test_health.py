"""Health in a browser: axe, every width, what changes shows by itself, by keyboard, and without a script."""

from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from monitoring.health.choices import Status
from monitoring.health.models import HealthComponent
from opsconsole.accounts.models import User
from opsconsole.live.publish import publish
from tests.console import ConsoleProcess
from tests.e2e.test_access import fits, look, nothing_to_find
from tests.e2e.visitor import sign_in, wait_for_link
from tests.health.rows import a_day, a_target, answered, changed, looked_at
from tests.metrics.rows import partitions

pytestmark = pytest.mark.browser


@pytest.fixture
def moment(console: ConsoleProcess) -> datetime:
    """One component unhealthy, one degraded, one that nobody has looked at, all others well."""
    partitions()
    now = timezone.now()
    # What is not due is left alone, and nothing gets too old while a test runs.
    a_target("N" * 100, slug="n" * 80)
    looked_at(now=now, due_at=now + timedelta(hours=1), interval_seconds=3600)
    looked_at("redis", Status.UNHEALTHY, now=now, due_at=now + timedelta(hours=1), message="R" * 120)
    looked_at("outbox", Status.DEGRADED, now=now, due_at=now + timedelta(hours=1))
    looked_at("cpu", now=now, ago=20_000, due_at=now + timedelta(hours=1))
    for ago in range(60):
        a_day("redis", ago=ago, now=now, **({"unhealthy": 400.0} if ago % 7 == 0 else {}))
    changed("redis", Status.HEALTHY, Status.UNHEALTHY, at=now, message="R" * 120)
    answered("redis", 1.0, 3.0, 2.0, now=now)
    return now


def test_axe_finds_nothing_and_it_fits_every_width(
    page: Page, alice: User, moment: datetime, said: list[str]
) -> None:
    sign_in(page, alice)
    look(page, "health", ("/health", "/health/redis", "/health/-/system", "/health/no-such"))
    page.goto("/health/redis")
    page.locator("#days-table summary").click()
    nothing_to_find(page, "days as a table")
    fits(page, "days as a table")


def test_no_name_pushes_a_button_out(page: Page, alice: User, moment: datetime) -> None:
    sign_in(page, alice)
    page.goto("/health")
    for width in (768, 1024, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        buttons = page.locator("#health-list button").all()
        assert buttons
        for button in buttons:
            box = button.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= width - 20, width


def test_a_change_shows_by_itself(desktop: Page, moment: datetime) -> None:
    desktop.goto("/health")
    wait_for_link(desktop)
    expect(desktop.locator("#health-answer")).to_contain_text("Unhealthy: 3 of 12 abnormal")
    with transaction.atomic():
        looked_at("redis", Status.HEALTHY, now=timezone.now())
        publish("health")
    expect(desktop.locator("#health-answer")).to_contain_text("Degraded: 2 of 12 abnormal")
    expect(desktop.locator("#nav-health")).to_contain_text("2")
    expect(desktop.locator("#component-redis")).to_contain_text("Healthy")


def test_the_phone_folds_what_is_healthy(page: Page, alice: User, moment: datetime) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, alice)
    page.goto("/")
    page.locator("#tab-more").click()
    page.locator(".oc-tabs-more").get_by_role("link", name="Health").click()
    expect(page.locator("#component-redis")).to_be_visible()
    expect(page.locator("#component-database")).to_be_hidden()
    page.locator("#health-calm").click()
    expect(page.locator("#component-database")).to_be_visible()


def test_by_keyboard(desktop: Page, moment: datetime) -> None:
    desktop.goto("/")
    wait_for_link(desktop)
    desktop.keyboard.press("g")
    desktop.keyboard.press("h")
    expect(desktop.get_by_role("heading", name="Health", level=1)).to_be_visible()
    wait_for_link(desktop)
    desktop.keyboard.press("Control+k")
    desktop.keyboard.type("disk sp")
    desktop.locator("#go-component").click()
    expect(desktop.get_by_role("heading", name="Disk Space", level=1)).to_be_visible()


def test_checks_and_filters_without_a_script(
    browser: Browser, console: ConsoleProcess, alice: User, moment: datetime
) -> None:
    context = browser.new_context(base_url=console.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, alice)
    HealthComponent.objects.filter(slug="memory").update(checked_at=moment - timedelta(minutes=1), ran_on="")
    page.goto("/health/memory")
    page.click("#check-now")
    expect(page.get_by_text("Looked at it now:")).to_be_visible()
    page.goto("/health/redis")
    page.select_option("#changes-to", "healthy")
    page.locator("#changes").get_by_role("button", name="Apply").click()
    expect(page.get_by_text("No change of status matches.")).to_be_visible()
    context.close()
