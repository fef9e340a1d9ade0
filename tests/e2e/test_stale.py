"""A link that dies without a word, and a press that gets no answer."""

import re

import pytest
from playwright.sync_api import Page, expect

from killswitch.models import Activation
from tests.console import ConsoleProcess
from tests.desk import Desk
from tests.e2e.visitor import let_bounce_pass, pressed, wait_for_link, wait_for_state

pytestmark = pytest.mark.browser


def test_stale_and_back(desktop: Page, desk: Desk, console: ConsoleProcess) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    console.suspend()
    expect(desktop.locator("html[data-link=stale]")).to_be_attached()
    expect(desktop).to_have_title(re.compile("^STALE"))
    expect(desktop.locator("#stale")).to_contain_text("Last known: TRADING at")
    expect(desktop.locator("#stop")).to_be_visible()
    expect(desktop.locator("#proof .when-stale").first).to_contain_text("Unknown")
    expect(desktop.get_by_text("May trade").first).to_be_hidden()
    console.resume()
    expect(desktop.locator("html[data-link=live]")).to_be_attached()
    expect(desktop.locator("#stale")).to_be_hidden()
    expect(desktop).to_have_title(re.compile("^TRADING"))


def test_no_answer_is_not_sent_and_one_stop_when_it_comes(
    desktop: Page, desk: Desk, console: ConsoleProcess
) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    console.suspend()
    desktop.click("#stop")
    let_bounce_pass(desktop)
    desktop.click("#stop-now")
    assert pressed(desktop) == "sending"
    expect(desktop.locator("#press")).to_contain_text("Sent again with the same key")
    expect(desktop.locator("#press")).to_contain_text("NOT SENT")
    expect(desktop.locator("#press")).to_contain_text("manage.py killswitch activate")
    expect(desktop.locator("#stop")).to_be_visible()
    assert not Activation.objects.exists()
    console.resume()
    wait_for_state(desktop, "stopping")
    assert pressed(desktop) == ""
    assert Activation.objects.count() == 1


def test_the_console_was_down_when_the_page_asked_first(desktop: Page, console: ConsoleProcess) -> None:
    desktop.route("**/live?*", lambda route: route.abort())
    desktop.goto("/kill-switch")
    expect(desktop.locator("html[data-link=stale]")).to_be_attached()
    desktop.unroute("**/live?*")
    expect(desktop.locator("html[data-link=live]")).to_be_attached()


def test_a_session_that_ended_asks_to_sign_in(desktop: Page, console: ConsoleProcess) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.context.clear_cookies()
    console.restart()
    expect(desktop.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(desktop.locator("[name=next]")).to_have_value("/kill-switch")
