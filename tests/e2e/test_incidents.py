"""An incident in the browser: from the alert on, live, in place, and without a script."""

import pytest
from playwright.sync_api import Browser, Page, expect

from monitoring.breakers.models import CircuitBreaker
from opsconsole.accounts.models import User
from opsconsole.runbooks import services
from opsconsole.runbooks.models import Incident, IncidentStep
from tests.breakers.reporting import Process, a_breaker
from tests.cast import acting
from tests.console import ConsoleProcess
from tests.desk import Desk
from tests.e2e.test_access import look
from tests.e2e.visitor import BOUNCE_MS, sign_in, wait_for_link, wait_for_state
from tests.runbooks.rows import BREAKER, COST, DEGRADED, breaker_alert, opened, step_of

pytestmark = pytest.mark.browser
LONG = "b" * 120


def test_from_the_alert_to_the_end(desktop: Page, sam: User, desk: Desk) -> None:
    process = Process()
    process.opens(now=None)
    alert = breaker_alert()
    desktop.goto(f"/alerts/{alert.pk}")
    desktop.click(f"#guide-{BREAKER}-open")
    expect(desktop.get_by_role("heading", name=alert.title)).to_be_visible()
    incident = Incident.objects.get()
    step = step_of(incident, "breaker")
    reading = desktop.locator(f"#reading-{step.pk}")
    expect(reading).to_contain_text("open since")
    wait_for_link(desktop)
    # While somebody writes a note the steps wait, and their values do not.
    desktop.click(f"#step-{step.pk}-more summary")
    desktop.fill(f"#step-{step.pk}-note", "it is the pro")
    process.report(a_breaker(), transitions=[process.changed("OPEN", "CLOSED")], now=None)
    services.complete(
        actor=acting(sam), incident_id=incident.pk, step_id=step_of(incident, "command").pk, note="200"
    )
    expect(reading).to_contain_text("closed since")
    expect(desktop.locator("#timeline")).to_contain_text("did step 2.")
    expect(desktop.locator("#incident-head")).to_contain_text("1 of 4 steps done")
    expect(desktop.locator(f"#step-{step.pk}-note")).to_have_value("it is the pro")
    desktop.click(f"#step-{step.pk}-done")
    expect(desktop.locator(f"#step-{step.pk}")).to_contain_text("it is the pro")
    reset = step_of(incident, "reset_breaker")
    desktop.click(f"#step-{reset.pk}-press")
    expect(desktop.locator(f"#step-{reset.pk}")).to_contain_text("told to close in every process")
    assert CircuitBreaker.objects.get().reset_version is not None
    # The bar's own stop counts, too.
    services.open_runbook(actor=acting(sam), slug=COST, incident_id=incident.pk)
    stop = step_of(incident, "stop")
    expect(desktop.locator(f"#step-{stop.pk}")).to_be_attached()
    desktop.keyboard.press("Shift+S")
    desktop.wait_for_timeout(BOUNCE_MS + 50)
    desktop.keyboard.press("Enter")
    wait_for_state(desktop, "stopping")
    expect(desktop.locator(f"#step-{stop.pk}")).to_contain_text("as the audit trail has it")
    desktop.click("text=Close the incident…")
    desktop.fill("#close-summary", "The provider was down")
    desktop.click("#close-send")
    expect(desktop.locator("#incident-head")).to_contain_text("CLOSED")
    with desktop.expect_download() as download:
        desktop.click("#export")
    assert download.value.suggested_filename == f"incident-{incident.pk}.md"


def test_without_a_script(browser: Browser, console: ConsoleProcess, sam: User, desk: Desk) -> None:
    context = browser.new_context(base_url=console.url, java_script_enabled=False)
    page = context.new_page()
    sign_in(page, sam)
    page.goto(f"/runbooks/{COST}")
    page.click("#open-send")
    incident = Incident.objects.get()
    page.click(f"#step-{step_of(incident, 'stop').pk}-press")
    page.locator("main").get_by_role("button", name="Stop now").click()
    # It comes back to the step.
    expect(page.locator("#state[data-state=stopping]")).to_be_visible()
    expect(page.locator("#incident-head")).to_be_visible()
    desk.acknowledge()
    page.click(f"#step-{step_of(incident, 'rearm').pk}-press")
    page.fill("#rearm-message", "The loop is mended")
    page.fill("#rearm-word", "RE-ARM")
    page.click("#rearm-send")
    expect(page.locator("#incident-head")).to_contain_text("2 of 5 steps done")
    step = IncidentStep.objects.get(kind="confirm")
    page.fill(f"#step-{step.pk}-note", "A loop that asked for ever")
    page.click(f"#step-{step.pk}-done")
    expect(page.locator("#timeline")).to_contain_text("A loop that asked for ever")
    context.close()


def test_axe_finds_nothing_and_it_fits(page: Page, sam: User, desk: Desk, said: list[str]) -> None:
    alert = breaker_alert(LONG, title="T" * 150)
    incident = opened(BREAKER, alert_id=alert.pk, actor=acting(sam))
    Process().opens(LONG, now=None)
    services.open_runbook(
        actor=acting(sam), slug=DEGRADED, incident_id=incident.pk, values={"component": "redis"}
    )
    services.complete(
        actor=acting(sam), incident_id=incident.pk, step_id=step_of(incident, "read").pk, note="n" * 200
    )
    closed = opened(COST)
    services.close(actor=acting(sam), incident_id=closed.pk, summary="s" * 200)
    sign_in(page, sam)
    look(
        page,
        "incidents",
        (
            "/incidents",
            f"/incidents/{incident.pk}",
            f"/incidents/{closed.pk}",
            "/runbooks",
            f"/runbooks/{BREAKER}",
            f"/alerts/{alert.pk}",
        ),
    )
