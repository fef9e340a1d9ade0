"""Everything works without JavaScript."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from killswitch.models import Activation, Command, Switch
from opsconsole.accounts.models import User
from tests.console import ConsoleProcess
from tests.desk import Desk
from tests.e2e.visitor import sign_in

pytestmark = pytest.mark.browser


@pytest.fixture
def plain(browser: Browser, console: ConsoleProcess, sam: User) -> Iterator[Page]:
    """Sam, with a browser that runs no script."""
    context = browser.new_context(base_url=console.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, sam)
    yield page
    context.close()


def test_stop_command_and_rearm(plain: Page, desk: Desk) -> None:
    plain.goto("/")
    plain.click("#stop")
    expect(plain.get_by_role("heading", name="Stop all trading now?")).to_be_visible()
    plain.locator("main").get_by_role("button", name="Stop now").click()
    expect(plain.locator("#state[data-state=stopping]")).to_be_visible()
    assert Activation.objects.get().activated_by == "sam"
    plain.get_by_role("link", name="Cancel all open orders…").click()
    plain.get_by_role("button", name="Cancel their orders now").click()
    assert Command.objects.get().results.count() == 4
    # The press leads to this page by itself, as it is then.
    plain.wait_for_url("**/kill-switch#left")
    desk.acknowledge()
    plain.goto("/kill-switch")
    plain.fill("#rearm-message", "Prices are back in line")
    plain.fill("#rearm-word", "RE-ARM")
    plain.click("#rearm-send")
    expect(plain.get_by_text("global is re-armed")).to_be_visible()
    assert Switch.objects.get().mode == "ACTIVE"


def test_a_drill_and_the_trail(plain: Page, desk: Desk) -> None:
    plain.goto("/kill-switch")
    plain.get_by_role("button", name="Start a drill").click()
    expect(plain.locator("#state-drill")).to_be_visible()
    plain.locator(".oc-nav").get_by_role("link", name="Audit").click()
    plain.fill("[name=q]", "drill_started")
    plain.get_by_role("button", name="Apply").click()
    expect(plain.locator(".oc-ev")).to_have_count(1)
