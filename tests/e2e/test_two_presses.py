"""Stop in two presses, in one place: mouse, keyboard, phone; bounce, Esc, and never by one held key."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from killswitch.models import Activation
from opsconsole.accounts.models import User
from opsconsole.embedded.processes import wait_until
from tests.desk import Desk
from tests.e2e.visitor import focused, let_bounce_pass, pressed, sign_in, wait_for_link, wait_for_state

pytestmark = pytest.mark.browser


def test_bounce_is_no_second_press(desktop: Page) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.evaluate("document.getElementById('stop').click(); document.getElementById('stop-now').click()")
    assert pressed(desktop) == "armed"
    assert not Activation.objects.exists()


def test_escape_keeps_trading(desktop: Page) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.click("#stop")
    assert focused(desktop) == "stop-now"
    expect(desktop.locator("#confirm")).to_be_visible()
    desktop.keyboard.press("Escape")
    assert pressed(desktop) == ""
    assert focused(desktop) == "stop"
    expect(desktop.locator("#confirm")).to_be_hidden()
    assert not Activation.objects.exists()


def test_it_cancels_itself(desktop: Page) -> None:
    desktop.clock.install()
    desktop.goto("/kill-switch")
    desktop.click("#stop")
    desktop.clock.run_for(15_100)
    assert pressed(desktop) == ""
    expect(desktop.locator("#stop")).to_be_visible()


def test_a_held_key_is_one_press(desktop: Page) -> None:
    desktop.goto("/audit")
    wait_for_link(desktop)
    desktop.keyboard.press("Shift+S")
    let_bounce_pass(desktop)
    desktop.keyboard.down("Enter")
    desktop.keyboard.up("Enter")
    wait_for_state(desktop, "stopped")
    assert Activation.objects.count() == 1


def test_a_repeating_enter_does_not_press_again(desktop: Page) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.focus("#stop")
    desktop.keyboard.down("Enter")
    let_bounce_pass(desktop)
    desktop.keyboard.down("Enter")  # Playwright marks it as a repeat
    desktop.keyboard.down("Enter")
    assert pressed(desktop) == "armed"
    assert not Activation.objects.exists()


def test_with_the_mouse(desktop: Page, desk: Desk) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.click("#stop")
    let_bounce_pass(desktop)
    desktop.click("#stop-now")
    wait_for_state(desktop, "stopping")
    assert Activation.objects.get().activated_by == "alice"
    expect(desktop).to_have_title(re.compile("^STOPPING"))
    desk.acknowledge()
    wait_for_state(desktop, "stopped")
    expect(desktop.locator("#state-fact")).to_contain_text("4 of 4 proven stopped")
    expect(desktop.locator(".oc-rearm")).to_be_visible()
    expect(desktop).to_have_title(re.compile("^STOPPED"))
    expect(desktop.locator("#say-now")).to_contain_text("Stopped.")


def test_from_any_page_by_keyboard(desktop: Page, desk: Desk) -> None:
    desktop.goto("/audit")
    wait_for_link(desktop)
    desktop.keyboard.press("Shift+S")
    assert focused(desktop) == "stop-now"
    let_bounce_pass(desktop)
    desktop.keyboard.press("Enter")
    wait_for_state(desktop, "stopping")
    assert focused(desktop) == "state-now"


def test_single_keys_are_silent_in_fields_and_can_be_off(desktop: Page) -> None:
    desktop.goto("/audit")
    desktop.focus("input[name=q]")
    desktop.keyboard.press("Shift+S")
    assert pressed(desktop) == ""
    desktop.evaluate("document.activeElement.blur(); localStorage.setItem('oc-single-keys', 'off')")
    desktop.keyboard.press("Shift+S")
    assert pressed(desktop) == ""


def test_on_a_phone(page: Page, alice: User, desk: Desk, said: list[str]) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_in(page, alice)
    page.goto("/")
    wait_for_link(page)
    size = page.locator("#stop").bounding_box()
    assert size is not None
    assert size["height"] >= 56
    page.click("#stop")
    let_bounce_pass(page)
    page.click("#stop-now")
    wait_for_state(page, "stopping")


def test_a_second_window_sees_it_live(
    desktop: Page, desk: Desk, sam: User, second: Callable[[User], Page]
) -> None:
    desktop.goto("/")
    other = second(sam)
    other.goto("/kill-switch")
    wait_for_link(other)
    desktop.keyboard.press("Shift+S")
    let_bounce_pass(desktop)
    desktop.keyboard.press("Enter")
    assert wait_until(Activation.objects.exists, seconds=20, interval=0.01)
    # Time alone proves nothing while a slow machine draws the page.
    Activation.objects.update(term_ms=60_000)
    wait_for_state(other, "stopping")
    desk.acknowledge("AAPL", "GOOG")
    expect(other.locator("#proof-sum")).to_contain_text("2 of 4 proven")
    desk.acknowledge()
    wait_for_state(other, "stopped")
    expect(other.locator("#episode-1, [id^=episode-]").first).to_be_visible()
    expect(other.locator("#rearm-word")).to_be_visible()


def test_a_stop_that_is_yet_to_come_by_the_browsers_clock(desktop: Page, desk: Desk, sam: User) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desk.stop(sam)
    meter = desktop.locator("#state-proof rect.f")
    expect(meter).not_to_have_attribute("width", "0%")
    meter.evaluate("(meter) => { meter.dataset.grow = new Date(Date.now() + 3600e3).toISOString(); }")
    expect(meter).to_have_attribute("width", "0%")


def test_somebody_else_was_faster(desktop: Page, desk: Desk, sam: User) -> None:
    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.click("#stop")
    desk.stop(sam)
    wait_for_state(desktop, "stopping")
    assert pressed(desktop) == ""
    expect(desktop.locator("#confirm")).to_be_hidden()


def test_an_answer_that_is_late_does_not_undo_newer_news(desktop: Page, desk: Desk) -> None:
    """The stream has brought the last proof while the answer, which says STOPPING, was still on its way."""

    def late(route: Route) -> None:
        answer = route.fetch()
        desk.acknowledge()
        wait_for_state(desktop, "stopped")
        route.fulfill(response=answer)

    desktop.goto("/kill-switch")
    wait_for_link(desktop)
    desktop.route("**/kill-switch/stop", late)
    desktop.click("#stop")
    let_bounce_pass(desktop)
    with desktop.expect_response("**/kill-switch/stop"):
        desktop.click("#stop-now")
    expect(desktop.locator("html:not([data-press=sending])")).to_be_attached()
    expect(desktop.locator("#state[data-state=stopped]")).to_be_visible()
    desktop.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    wait_for_state(desktop, "stopped")
