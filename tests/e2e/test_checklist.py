"""The checklist, the drills and the watchdog in a browser: axe, every width, what comes in by itself, and signing off by keyboard."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Page, expect

from monitoring.health.models import HealthComponent
from monitoring.health.watchdog import canaries
from opsconsole.accounts.models import User
from opsconsole.checklist import services
from opsconsole.checklist.models import ChecklistRule
from opsconsole.live.publish import publish
from tests.cast import acting
from tests.desk import Desk
from tests.e2e.test_access import look
from tests.e2e.visitor import sign_in, wait_for_link

pytestmark = pytest.mark.browser


def test_axe_finds_nothing_and_they_fit_every_width(
    page: Page, alice: User, sam: User, desk: Desk, said: list[str]
) -> None:
    now = timezone.now()
    for minutes in (2, 1, 0):
        canaries.fly(sent_at=now, worker="console@desk-1", now=now - timedelta(minutes=minutes))
        canaries.carry(clock=lambda: now)
    services.sign(actor=acting(sam), comment="the day before", now=now - timedelta(days=1))
    desk.stop(alice, drill=True, message="monthly")
    desk.acknowledge()
    sign_in(page, alice)
    look(page, "checklist", ("/checklist", "/checklist/days", "/kill-switch/drills", "/health/-/watchdog"))


def test_a_line_follows_and_the_day_is_signed_off_by_keyboard(desktop: Page, alice: User) -> None:
    ChecklistRule.objects.update(days=list(range(7)))
    desktop.goto("/")
    wait_for_link(desktop)
    desktop.keyboard.press("g")
    desktop.keyboard.press("c")
    expect(desktop.get_by_role("heading", name="Daily checklist")).to_be_visible()
    wait_for_link(desktop)
    comment = desktop.get_by_label("Comment")
    comment.fill("nothing runs yet")
    with transaction.atomic():
        HealthComponent.objects.update(
            checked_at=timezone.now(), status="unhealthy", message="it is down", interval_seconds=600
        )
        publish("health")
    expect(desktop.locator("#line-health .oc-st")).to_have_text("RED")
    # What somebody types stays, and what they see now is what they sign.
    expect(comment).to_have_value("nothing runs yet")
    comment.press("Tab")
    desktop.keyboard.press("Enter")
    expect(desktop.get_by_text("The checklist of today is signed off.")).to_be_visible()
    expect(desktop.get_by_text("“nothing runs yet”").first).to_be_visible()
