"""The alert pages in the browser: live, by keyboard, in place, and with nothing for axe to find."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from alerts.choices import Decision
from alerts.models import Alert, Silence
from opsconsole.accounts.models import User
from opsconsole.live.publish import publish
from tests.alert_rows import a_channel, a_silence, an_alert, resolved, told
from tests.console import ConsoleProcess
from tests.desk import Desk
from tests.e2e.test_access import look, nothing_to_find
from tests.e2e.visitor import focused, sign_in, wait_for_link

pytestmark = pytest.mark.browser
LISTS = ("/alerts", "/alerts/silences", "/alerts/channels")


def announce() -> None:
    """As the services do with every change."""
    with transaction.atomic():
        publish("alerts")


def raised(title: str = "IBM volatility above its limit", **values: Any) -> Alert:
    alert = an_alert(title, **values)
    announce()
    return alert


def at_the_list(page: Page) -> None:
    page.goto("/alerts")
    wait_for_link(page)


def test_nothing_to_find_while_there_is_nothing(page: Page, sam: User, desk: Desk, said: list[str]) -> None:
    sign_in(page, sam)
    look(page, "empty", (*LISTS, "/alerts/rules", "/alerts/noise", "/alerts/silences/new"))


def test_nothing_to_find_in_full(page: Page, sam: User, desk: Desk, said: list[str]) -> None:
    now = timezone.now()
    overdue = an_alert(due_at=now - timedelta(minutes=4), count=7, repeats=6, repeated_at=now)
    dead = told(overdue, a_channel("c" * 64), state="DEAD", attempts=8, error="e" * 300)
    told(overdue, a_channel("backup", failures_in_a_row=2, last_failure_at=now), instead_of=dead)
    long = an_alert(
        "A" * 190,
        message=f"<b>bold</b> {'x' * 300} \u05e9\u05dc\u05d5\u05dd \u202e reversed",
        labels={"instance": "h" * 200, "symbol": "S" * 100},
        raised_by="r" * 140,
        annotations={"description": "d" * 300, "runbook_url": "https://runbooks.example/"},
    )
    held = an_alert(decision=Decision.QUIET_HOURS)
    owned = an_alert("owned", acknowledged_at=now, acknowledged_by="alice")
    silence = a_silence(matchers=[{"name": "l" * 60, "value": "v" * 300, "isRegex": True, "isEqual": True}])
    of_each = tuple(f"/alerts/{alert.pk}" for alert in (overdue, long, held, owned, resolved()))
    sign_in(page, sam)
    look(
        page,
        "full",
        (
            *LISTS,
            *of_each,
            f"/alerts/silences/new?alert={long.pk}",
            f"/alerts/silences/{silence.pk}/extend",
            "/",
        ),
    )


def test_a_new_alert_appears_and_is_said_once(desktop: Page) -> None:
    raised("there before")
    at_the_list(desktop)
    expect(desktop.locator("#needing")).to_contain_text("there before")
    assert desktop.locator("#say").inner_text() == ""
    raised("IBM volatility")
    raised("of no concern", decision=Decision.DEDUPED)
    expect(desktop.locator("#needing")).to_contain_text("IBM volatility")
    expect(desktop.locator("#found")).to_contain_text("of no concern")
    expect(desktop.locator("#say")).to_have_text("New alert. HIGH: IBM volatility.")
    expect(desktop.locator("#nav-alerts")).to_contain_text("2")
    expect(desktop).to_have_title("TRADING · 2 · Alerts · opsconsole")


def test_an_open_alert_follows_what_others_do(desktop: Page) -> None:
    alert = raised()
    desktop.goto(f"/alerts/{alert.pk}")
    wait_for_link(desktop)
    expect(desktop.locator("#act-ack")).to_be_visible()
    Alert.objects.filter(pk=alert.pk).update(acknowledged_at=timezone.now(), acknowledged_by="Dana Reyes")
    announce()
    expect(desktop.locator("#story")).to_contain_text("Now: Dana Reyes owns it")
    expect(desktop.locator("#act-unack")).to_be_visible()


def test_what_is_being_written_is_left_alone(desktop: Page) -> None:
    alert = raised()
    desktop.goto(f"/alerts/{alert.pk}")
    wait_for_link(desktop)
    desktop.click("#more-acts > summary")
    desktop.fill("#ack-note", "half a sentence")
    Alert.objects.filter(pk=alert.pk).update(count=9)
    announce()
    expect(desktop.locator("#alert-head")).to_contain_text("9 times")
    expect(desktop.locator("#ack-note")).to_have_value("half a sentence")
    assert focused(desktop) == "ack-note"


def top_of(page: Page, selector: str) -> float:
    box = page.locator(selector).bounding_box()
    assert box is not None
    return box["y"]


def test_a_list_keeps_its_order_while_somebody_is_in_it(desktop: Page) -> None:
    first = raised("first")
    at_the_list(desktop)
    desktop.focus(f"#found-{first.pk}-open")
    raised("second")
    raised("third")
    expect(desktop.locator("#found-show")).to_have_text("2 new · show")
    expect(desktop.locator("#needing-show")).to_have_text("2 new · show")
    expect(desktop.locator("#found")).not_to_contain_text("second")
    expect(desktop.locator("#needing")).not_to_contain_text("second")
    assert focused(desktop) == f"found-{first.pk}-open"
    desktop.click("#found-show")
    expect(desktop.locator("#found")).to_contain_text("third")
    expect(desktop.locator("#found-show")).to_be_hidden()
    assert focused(desktop) == "h-all"


@pytest.mark.parametrize("width", [1440, 390])
def test_new_rows_push_nothing_from_under_a_pointer(width: int, desktop: Page) -> None:
    soon = timezone.now() + timedelta(minutes=10)
    first, second = (raised(f"number {n}", due_at=soon + timedelta(minutes=n)) for n in range(2))
    desktop.set_viewport_size({"width": width, "height": 900})
    at_the_list(desktop)
    button = f"#alert-{second.pk}-ack"
    desktop.hover(button)
    was = top_of(desktop, button)
    raised("urgent", priority="CRITICAL", due_at=timezone.now() - timedelta(minutes=1))
    Alert.objects.filter(pk=first.pk).update(acknowledged_at=timezone.now(), acknowledged_by="Dana Reyes")
    announce()
    expect(desktop.locator("#needing-show")).to_have_text("1 new · show")
    expect(desktop.locator(f"#alert-{first.pk}")).to_contain_text("Needs nobody now")
    assert top_of(desktop, button) == was
    # What is over already is not taken from its owner by a late press.
    desktop.locator(f"#alert-{first.pk}-ack").evaluate("button => button.click()")
    desktop.hover(button)
    desktop.click(button)
    expect(desktop.locator(f"#alert-{second.pk}")).to_have_count(0)
    owners = dict(Alert.objects.values_list("pk", "acknowledged_by"))
    assert (owners[first.pk], owners[second.pk]) == ("Dana Reyes", "alice")
    # Nobody is there any more, so what waited is shown.
    desktop.mouse.move(5, 5)
    desktop.evaluate("document.activeElement.blur()")
    expect(desktop.locator("#needing")).to_contain_text("urgent")
    expect(desktop.locator(f"#alert-{first.pk}")).to_have_count(0)
    expect(desktop.locator("#needing-show")).to_be_hidden()


def test_what_is_above_the_focus_moves_nothing(desktop: Page) -> None:
    alert = raised()
    desktop.set_viewport_size({"width": 390, "height": 500})
    desktop.goto(f"/alerts/{alert.pk}")
    wait_for_link(desktop)
    desktop.focus("#alert-trail")
    was = top_of(desktop, "#alert-trail")
    Alert.objects.filter(pk=alert.pk).update(count=9, category="PORTFOLIO_UPDATE", raised_by="r" * 140)
    announce()
    expect(desktop.locator("#alert-head")).to_contain_text("9 times")
    assert abs(top_of(desktop, "#alert-trail") - was) <= 1
    assert focused(desktop) == "alert-trail"


def test_a_button_does_not_turn_into_another_under_the_pointer(desktop: Page) -> None:
    alert = raised()
    desktop.goto(f"/alerts/{alert.pk}")
    wait_for_link(desktop)
    desktop.hover("#act-ack")
    Alert.objects.filter(pk=alert.pk).update(acknowledged_at=timezone.now(), acknowledged_by="Dana Reyes")
    announce()
    expect(desktop.locator("#alert-head")).to_contain_text("Owned by Dana Reyes")
    expect(desktop.locator("#act-ack")).to_be_visible()
    desktop.mouse.move(5, 5)
    expect(desktop.locator("#act-unack")).to_be_visible()


def test_extend_a_silence_without_leaving_the_list(desktop: Page) -> None:
    silence = a_silence()
    desktop.goto("/alerts/silences")
    wait_for_link(desktop)
    desktop.click(f"#silence-{silence.pk}-extend")
    expect(desktop.locator("#h-extend")).to_be_focused()
    nothing_to_find(desktop, "the form in the list")
    desktop.keyboard.press("Tab")
    desktop.click("#extend-cancel")
    assert focused(desktop) == f"silence-{silence.pk}-extend"
    desktop.keyboard.press("Enter")
    desktop.check("#extend-4")
    desktop.fill("#extend-reason", "The deploy takes longer")
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#alerts-said")).to_contain_text("Before:")
    expect(desktop.locator("#extend-form")).to_have_count(0)
    assert desktop.url.endswith("/alerts/silences")
    assert focused(desktop) == f"silence-{silence.pk}-extend"
    assert Silence.objects.get().ends_at == silence.ends_at + timedelta(hours=4)


def test_an_end_that_is_refused_in_place(desktop: Page) -> None:
    silence = a_silence()
    desktop.goto("/alerts/silences")
    wait_for_link(desktop)
    desktop.click(f"#silence-{silence.pk}-extend")
    desktop.fill("#extend-at-time", "2001-01-01T08:00")
    desktop.fill("#extend-reason", "Too early")
    desktop.click("#extend-send")
    expect(desktop.locator("#extend-errors")).to_contain_text("Nothing was changed.")
    expect(desktop.locator("#extend-reason")).to_have_value("Too early")
    desktop.check("#extend-1")
    desktop.click("#extend-send")
    expect(desktop.locator("#alerts-said")).to_contain_text("Before:")
    assert Silence.objects.get().ends_at == silence.ends_at + timedelta(hours=1)


def test_acknowledge_in_place_by_keys_and_undo(desktop: Page) -> None:
    soon = timezone.now() + timedelta(minutes=1)
    first, second, third = (raised(str(n), due_at=soon + timedelta(minutes=n)) for n in range(3))
    at_the_list(desktop)
    desktop.keyboard.press("j")
    assert focused(desktop) == f"alert-{first.pk}-open"
    desktop.keyboard.press("j")
    desktop.keyboard.press("k")
    assert focused(desktop) == f"alert-{first.pk}-open"
    desktop.keyboard.press("a")
    expect(desktop.locator(f"#alert-{first.pk}")).to_have_count(0)
    expect(desktop.locator("#alerts-said")).to_contain_text("is yours")
    assert focused(desktop) == f"alert-{second.pk}-open"
    assert Alert.objects.get(pk=first.pk).acknowledged_by == "alice"
    desktop.keyboard.press("z")
    expect(desktop.locator(f"#alert-{first.pk}")).to_be_visible()
    assert Alert.objects.get(pk=first.pk).acknowledged_at is None
    assert Alert.objects.filter(acknowledged_at=None).count() == 3
    assert third.pk


def test_select_many_and_acknowledge_them(desktop: Page) -> None:
    for number in range(3):
        raised(f"number {number}")
    at_the_list(desktop)
    for _ in range(2):
        desktop.keyboard.press("j")
        desktop.keyboard.press("x")
    expect(desktop.locator("#bulk-count")).to_have_text("2 selected")
    raised("one more")  # a refresh leaves the selection as it is
    expect(desktop.locator("#needing-show")).to_have_text("1 new · show")
    expect(desktop.locator("#needing input:checked")).to_have_count(2)
    desktop.keyboard.press("a")
    expect(desktop.locator("#alerts-said")).to_contain_text("2 alerts are yours.")
    assert Alert.objects.filter(acknowledged_by="alice").count() == 2


def test_g_then_a_goes_to_the_alerts_and_acknowledges_nothing(desktop: Page) -> None:
    alert = raised()
    desktop.goto(f"/alerts/{alert.pk}")
    desktop.keyboard.press("g")
    desktop.keyboard.press("a")
    desktop.wait_for_url("**/alerts")
    assert Alert.objects.get().acknowledged_at is None


def test_silence_by_keys_from_the_list(desktop: Page) -> None:
    alert = raised()
    at_the_list(desktop)
    desktop.keyboard.press("j")
    desktop.keyboard.press("s")
    desktop.wait_for_url(f"**/alerts/silences/new?alert={alert.pk}")
    assert focused(desktop) == "silence-comment"
    desktop.click("#silence-look")
    expect(desktop.locator("#preview")).to_contain_text("1 firing")
    desktop.fill("#silence-comment", "deploy")
    desktop.keyboard.press("Enter")
    expect(desktop.locator("#alerts-said")).to_contain_text("Silenced.")
    assert Silence.objects.get().comment == "deploy"
    desktop.keyboard.press("z")
    expect(desktop.get_by_text("The silence has ended.")).to_be_visible()


def test_single_keys_can_be_switched_off(desktop: Page) -> None:
    alert = raised()
    desktop.goto(f"/alerts/{alert.pk}")
    desktop.evaluate("localStorage.setItem('oc-single-keys', 'off')")
    desktop.reload()
    desktop.keyboard.press("a")
    desktop.click("#act-silence")
    desktop.wait_for_url("**/silences/new**")
    assert Alert.objects.get().acknowledged_at is None


def test_without_a_script_everything_works(browser: Browser, console: ConsoleProcess, alice: User) -> None:
    alert = raised()
    plain = browser.new_context(
        base_url=console.url, java_script_enabled=False, viewport={"width": 390, "height": 900}
    )
    page = plain.new_page()
    sign_in(page, alice)
    page.goto("/alerts")
    page.click(f"#alert-{alert.pk}-ack")
    expect(page.locator("#alerts-said")).to_contain_text("is yours")
    page.click("#undo")
    expect(page.get_by_text("Undone: 1 acknowledgement")).to_be_visible()
    page.click(f"#alert-{alert.pk}-open")
    page.click("#more-acts > summary")
    page.fill("#resolve-note", "Vendor restarted")
    page.click("#resolve-send")
    expect(page.get_by_text("alice resolved it")).to_be_visible()
    silence = a_silence()
    page.goto("/alerts/silences")
    page.click(f"#silence-{silence.pk}-extend")
    page.check("#extend-morning")
    page.fill("#extend-reason", "Over night")
    page.click("#extend-send")
    expect(page.locator("#alerts-said")).to_contain_text("Before:")
    plain.close()
