"""axe finds nothing, in any state, on any page, in either theme; focus stays visible while tabbing; nothing scrolls sideways."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.hashers import ScryptPasswordHasher
from playwright.sync_api import Page, expect

from opsconsole.accounts.models import User
from tests.desk import Desk
from tests.e2e.visitor import sign_in, wait_for_link, wait_for_state

pytestmark = pytest.mark.browser

LOOKS = {"light": 1440, "dark": 390}
LOADED = "light"
NARROW = 320
PAGES = (
    "/",
    "/kill-switch",
    "/kill-switch/stop",
    "/kill-switch/stop?scope=one",
    "/kill-switch/commands?kind=cancel_orders",
    "/kill-switch/activations",
    "/audit",
    "/accounts/me",
    "/no/such/page",
)


AXE = Axe()
# Only the rule on sound that plays by itself needs what axe would load beforehand, which are all style sheets again, and no page has sound.
OPTIONS = "{ resultTypes: ['violations'], preload: false }"


def nothing_to_find(page: Page, where: str) -> None:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.axe_script)
    found = page.evaluate(f"axe.run({OPTIONS})")
    assert found["passes"], f"axe did not run on {where}"
    said = [(item["id"], [node["target"] for node in item["nodes"]]) for item in found["violations"]]
    assert said == [], where


def fits(page: Page, where: str) -> None:
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"{where} scrolls sideways by {wide} px"


def look(page: Page, state: str, paths: tuple[str, ...]) -> None:
    """Each theme once through axe, and each width once for what sticks out: a page follows its window without being loaded again."""
    for path in paths:
        for theme, width in LOOKS.items():
            # Without motion, so that no colour is seen on its way from one theme to the other.
            page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]  # a literal of the two
            page.set_viewport_size({"width": width, "height": 900})
            if theme == LOADED:
                page.goto(path)
            nothing_to_find(page, f"{state} {path} {theme} {width}")
            fits(page, f"{state} {path} {width}")
        page.set_viewport_size({"width": NARROW, "height": 900})
        fits(page, f"{state} {path} {NARROW}")


def test_trading(page: Page, sam: User, desk: Desk, said: list[str]) -> None:
    desk.connect("M" * 64)  # the longest name there is must push nothing out
    sign_in(page, sam)
    look(page, "trading", PAGES)


@pytest.mark.parametrize("state", ["confirm", "stopping", "stopped", "drill", "scope", "reduce"])
def test_states(state: str, page: Page, sam: User, desk: Desk, said: list[str]) -> None:
    sign_in(page, sam)
    begin: dict[str, Callable[[], object]] = {
        "stopping": lambda: desk.stop(sam),
        "stopped": lambda: desk.stop(sam),
        "drill": lambda: desk.stop(sam, drill=True),
        "scope": lambda: desk.stop(sam, scope="symbol:IBM"),
        "reduce": lambda: desk.stop(sam, mode="REDUCE_ONLY"),
    }
    if state in begin:
        begin[state]()
        if state != "stopping":
            desk.acknowledge()
        look(page, state, ("/kill-switch", "/"))
        return
    for width in LOOKS.values():
        page.set_viewport_size({"width": width, "height": 900})
        page.goto("/kill-switch")
        page.keyboard.press("Shift+S")
        expect(page.locator("#confirm")).to_be_visible()
        nothing_to_find(page, f"confirm {width}")


def test_dialogs(desktop: Page) -> None:
    desktop.goto("/")
    desktop.keyboard.press("?")
    nothing_to_find(desktop, "keys")
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("Control+k")
    nothing_to_find(desktop, "palette")
    desktop.keyboard.type("audit")
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_role("heading", name="Audit", level=1)).to_be_visible()


def test_sign_in_and_its_refusal(page: Page, alice: User, said: list[str]) -> None:
    alice.password = ScryptPasswordHasher().encode("alice-password", "salt")  # as the web process checks it
    alice.save()
    page.goto("/accounts/sign-in")
    nothing_to_find(page, "sign-in")
    page.fill("[name=username]", "alice")
    page.fill("[name=password]", "wrong")
    page.click("button")
    expect(page.get_by_role("alert")).to_be_visible()
    nothing_to_find(page, "sign-in refused")
    page.fill("[name=password]", "alice-password")
    page.click("button")
    expect(page.locator("#state")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_focus_stays_in_sight_while_tabbing(
    width: int, page: Page, sam: User, desk: Desk, said: list[str]
) -> None:
    desk.stop(sam)
    desk.acknowledge()
    page.set_viewport_size({"width": width, "height": 700})
    sign_in(page, sam)
    page.goto("/kill-switch")
    wait_for_link(page)
    wait_for_state(page, "stopped")
    seen = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        where = page.evaluate(IN_SIGHT)
        if where["name"] == "BODY":
            break
        assert where["seen"], f"{where} has the focus, out of sight, at {width} px"
        seen.add(where["name"])
    assert len(seen) > 15


# The middle of what has the focus must belong to it: neither outside the window nor below one of the sticky bars.
IN_SIGHT = """() => {
  const element = document.activeElement;
  const name = element.id || element.href || element.name || element.tagName;
  if (element === document.body) return { name: 'BODY', seen: true };
  const box = element.getBoundingClientRect();
  const top = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 20));
  return { name, seen: Boolean(top) && (element.contains(top) || top.contains(element)), box: [box.x, box.y, box.width, box.height] };
}"""
