"""Re-arming in the browser: nothing by accident, and the form keeps what was typed while the page refreshes itself."""

import pytest
from playwright.sync_api import Page, expect

from killswitch.models import Switch
from opsconsole.accounts.models import User
from tests.desk import Desk
from tests.e2e.visitor import focused, sign_in, wait_for_link, wait_for_state

pytestmark = pytest.mark.browser


def test_enter_does_not_submit_and_refreshes_keep_the_words(
    page: Page, sam: User, desk: Desk, said: list[str]
) -> None:
    desk.stop(sam)
    desk.acknowledge()
    sign_in(page, sam)
    page.goto("/kill-switch")
    wait_for_link(page)
    page.fill("#rearm-message", "Prices are back in line")
    page.fill("#rearm-word", "RE-ARM")
    desk.report("IBM", open_orders=9, positions={"IBM": 1}, last_order="")
    expect(page.locator("#rearm-checks")).to_contain_text("Open orders of IBM at the venue")
    assert focused(page) == "rearm-word"
    page.keyboard.press("Enter")
    expect(page.locator("#rearm-message")).to_have_value("Prices are back in line")
    assert Switch.objects.get().mode == "HALTED"
    page.click("#rearm-send")
    wait_for_state(page, "trading")
    assert Switch.objects.get().mode == "ACTIVE"


def test_focus_follows_its_row(page: Page, sam: User, desk: Desk, said: list[str]) -> None:
    desk.stop(sam)
    sign_in(page, sam)
    page.goto("/kill-switch")
    wait_for_link(page)
    control = f"left-{desk.processes['MSFT'].pk}-cancel"
    page.focus(f"#{control}")
    desk.connect("AMD")  # a new row above it
    desk.acknowledge()
    wait_for_state(page, "stopped")
    expect(page.locator("#left")).to_contain_text("AMD")
    assert focused(page) == control
