"""The breakers' pages in a browser: they fit every width, axe finds nothing, what was pressed is followed live, and by keyboard."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from monitoring.breakers import services
from monitoring.breakers.models import BreakerApplied, BreakerState, CircuitBreaker
from opsconsole.accounts.models import User
from opsconsole.live.publish import publish
from tests.breakers import rows
from tests.cast import acting
from tests.console import ConsoleProcess
from tests.e2e.test_access import fits, look
from tests.e2e.visitor import focused, sign_in, wait_for_link

pytestmark = pytest.mark.browser
NAME = "news/reuters v2"
ADDRESS = "/breakers/news/reuters%20v2"
LONG = "broker." + "x" * 121
# A card cuts off what is wider than itself, so the page need not scroll for it to be out of sight.
CUT_OFF = """() => [...document.querySelectorAll('.card :is(th, td, .btn, .form-control, .oc-st)')]
  .filter((one) => one.getClientRects().length && one.getBoundingClientRect().right > one.closest('.card').getBoundingClientRect().right + 1)
  .map((one) => one.id || one.className || one.textContent)"""


@pytest.fixture
def breaker(console: ConsoleProcess) -> CircuitBreaker:
    """Open in one of two processes, which nothing but the test moves."""
    now = timezone.now()
    (made,) = rows.breakers([NAME], now=now)
    # They count as there for as long as the test takes.
    there = rows.processes(["AAPL", "IBM"], now=now + timedelta(minutes=10))
    rows.states([made], there[:1], "OPEN", now=now, rejected=17, failure_rate=62.5)
    rows.states([made], there[1:], now=now)
    rows.change(made, "OPEN", now - timedelta(minutes=20))
    announce()
    return made


def announce() -> None:
    """As the services do with every report."""
    with transaction.atomic():
        publish("breakers")


def test_nothing_to_find_while_there_is_nothing(page: Page, sam: User, said: list[str]) -> None:
    sign_in(page, sam)
    look(page, "empty", ("/breakers", "/breakers/-/reset-all", "/breakers/none"))


def test_nothing_to_find_and_it_fits_every_width(
    page: Page, breaker: CircuitBreaker, alice: User, sam: User, said: list[str]
) -> None:
    now = timezone.now()
    made = rows.breakers([LONG, "forced open", "forced closed", "half", "silent", "closed"], now=now)
    there = rows.processes(
        ["M" * 64, *(f"T{number}" for number in range(10))], now=now + timedelta(minutes=10)
    )
    failed = {"failure_type": "T" * 190, "failure_text": "<b>" + "e" * 490, "failure_at": now}
    rows.states(made[:1], there[:5], "OPEN", now=now, rejected=12_345_678, success=2**40, slow=7, **failed)
    rows.states(made[:1], there[5:], now=now)
    rows.states(made[3:4], there, "HALF_OPEN", now=now, failure_rate=None, calls=3)
    rows.states(made[4:5], rows.processes(["gone"], now=now - timedelta(hours=1)), "OPEN", now=now)
    rows.states([*made[1:3], made[5]], there, now=now)
    rows.change(made[0], "OPEN", now - timedelta(hours=3), client="M" * 64, cause_text="c" * 500)
    rows.change(
        made[0], "CLOSED", now - timedelta(hours=2), before="OPEN", client="M" * 64, in_previous_s=3600.0
    )
    services.tune(actor=acting(sam), name=LONG, values={"timeout_seconds": 30.0}, reason="r" * 300)
    services.force_open(actor=acting(sam), name="forced open", reason="w" * 300)
    services.force_close(
        actor=acting(sam), name="forced closed", reason="x", until=now + timedelta(minutes=30)
    )
    services.reset_all(actor=acting(alice), reason="All of them")
    sign_in(page, alice)
    paths = ("/breakers", f"/breakers/{LONG}", "/breakers/forced open", "/breakers/-/reset-all", "/")
    for path in paths:
        look(page, "full", (path,))
        for width in (320, 390, 768, 1024, 1440, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            fits(page, f"{path} {width}")
            assert page.evaluate(CUT_OFF) == [], f"{path} {width}"
    look(page, "full", (f"/breakers/-/force-closed/{LONG}", "/breakers/silent"))


def test_reset_by_keyboard_and_followed_until_all_have_applied_it(
    desktop: Page, breaker: CircuitBreaker, alice: User
) -> None:
    desktop.goto("/")
    wait_for_link(desktop)
    desktop.keyboard.press("Control+k")
    desktop.keyboard.type("reuters")
    desktop.keyboard.press("ArrowDown")
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_role("heading", name=f"Reset {NAME}?")).to_be_visible()
    expect(desktop.locator("#act-scope")).to_contain_text("2 processes: 1 OPEN, 1 CLOSED")
    assert focused(desktop) == "act-reason"
    desktop.keyboard.type("The service is back")
    desktop.keyboard.press("Enter")
    head = desktop.locator("#breaker-head")
    expect(head).to_contain_text("applied by 0 of 2, AAPL, IBM have not yet")
    expect(desktop.locator("#breaker-word")).to_have_text("OPEN")
    wait_for_link(desktop)
    at = BreakerApplied.objects.filter(client="IBM").get().command.at
    BreakerApplied.objects.filter(client="IBM").update(at=at)
    announce()
    expect(head).to_contain_text("applied by 1 of 2, AAPL has not yet")
    BreakerApplied.objects.update(at=at + timedelta(milliseconds=61))
    BreakerState.objects.update(state="CLOSED", failing_since=None)
    announce()
    expect(head).to_contain_text("applied by all 2")
    expect(desktop.locator("#breaker-word")).to_have_text("CLOSED")
    # Nothing is left to be counted beside the navigation.
    expect(desktop.locator("#nav-breakers")).to_be_empty()


def test_an_opening_appears_in_the_list_and_on_the_overview(
    desktop: Page, breaker: CircuitBreaker, alice: User
) -> None:
    (other,) = rows.breakers(["database"], now=timezone.now())
    rows.states(
        [other], rows.processes(["GOOG"], now=timezone.now() + timedelta(minutes=10)), now=timezone.now()
    )
    second = desktop.context.new_page()
    for page, path in ((desktop, "/breakers"), (second, "/")):
        page.goto(path)
        wait_for_link(page)
        expect(page.locator("#nav-breakers")).to_contain_text("1")
    BreakerState.objects.filter(breaker=other).update(state="OPEN")
    rows.change(other, "OPEN", timezone.now(), client="GOOG")
    announce()
    expect(desktop.locator(f"#breaker-{other.pk} .oc-st")).to_have_text("OPEN")
    expect(desktop.locator("#breakers-answer")).to_have_text("2 of 2 not closed")
    expect(second.locator("#broken")).to_contain_text("database")
    expect(second.locator("#nav-breakers")).to_contain_text("2")


@pytest.fixture
def plain(browser: Browser, console: ConsoleProcess, alice: User) -> Iterator[Page]:
    """Alice on the phone, with a browser that runs no script."""
    context = browser.new_context(
        base_url=console.url, java_script_enabled=False, viewport={"width": 390, "height": 844}
    )
    page = context.new_page()
    sign_in(page, alice)
    yield page
    context.close()


def test_force_and_release_on_the_phone_without_a_script(plain: Page, breaker: CircuitBreaker) -> None:
    plain.goto("/")
    expect(plain.locator("#more-badge")).to_contain_text("1 breaker not closed")
    plain.locator("#tab-more").click()
    plain.locator(".oc-tabs-more").get_by_role("link", name="Breakers").click()
    plain.locator(f"#breaker-{breaker.pk}-open").click()
    plain.locator("#act-force-open").click()
    plain.fill("#act-reason", "Wrong prices")
    plain.select_option("#act-minutes", "15")
    plain.locator("#act-send").click()
    expect(plain.locator("#breaker-side")).to_contain_text("Wrong prices")
    breaker.refresh_from_db()
    assert (breaker.hold, breaker.hold_by) == ("OPEN", "alice")
    plain.locator("#act-release").click()
    plain.locator("#act-send").click()
    expect(plain.locator("#breaker-side")).to_contain_text("alice released it")
    breaker.refresh_from_db()
    assert breaker.hold == ""
