"""The audit page's seal: it follows by itself, what was opened stays open, and axe finds nothing, sealed or broken."""

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from opsconsole.audit.models import AuditSeal
from opsconsole.audit.sealing.sealer import SEALED
from opsconsole.live.publish import publish
from tests.audit.sealing import seal_now, tamper, write
from tests.e2e.test_access import look
from tests.e2e.visitor import wait_for_link

pytestmark = pytest.mark.browser


def sealed_and_told() -> AuditSeal:
    """Of everything that is there."""
    with transaction.atomic():
        seal_now()
        publish(SEALED)
    return AuditSeal.objects.latest("pk")


def test_follows_by_itself_and_stays_open(desktop: Page) -> None:
    write(2)
    first = sealed_and_told()
    desktop.goto("/audit")
    wait_for_link(desktop)
    expect(desktop.locator("#audit-seal-sum")).to_have_text("All sealed")
    desktop.locator("#audit-seal-open").click()
    expect(desktop.locator("#audit-seal-whole code")).to_have_text(bytes(first.root).hex())
    write(3)
    expect(desktop.locator("#audit-seal-sum")).to_have_text("3 waiting")
    second = sealed_and_told()
    expect(desktop.locator("#audit-seal-sum")).to_have_text("All sealed")
    expect(desktop.locator("#audit-seal-whole code")).to_have_text(bytes(second.root).hex())
    expect(desktop.locator("#audit-seal-whole pre")).to_be_visible()


def test_nothing_to_find(desktop: Page) -> None:
    write(2)
    sealed_and_told()
    look(desktop, "sealed", ("/audit",))
    tamper("UPDATE audit_auditseal SET root = sha256('x')")
    desktop.goto("/audit")
    expect(desktop.locator("#audit-seal")).to_contain_text("its root is not that of its frontier")
    look(desktop, "broken", ("/audit",))
