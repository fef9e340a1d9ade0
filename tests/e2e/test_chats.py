"""Linking a chat in the browser: with nothing for axe to find, and the code on the page once."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from alerts.chat.people import ChatPerson
from alerts.choices import ChatKind
from alerts.models import ChatLink
from alerts.services.linking import redeem
from opsconsole.accounts.models import User
from tests.e2e.test_access import look, nothing_to_find
from tests.e2e.visitor import sign_in

pytestmark = pytest.mark.browser
PATH = "/accounts/chats"


def test_links_and_unlinks(page: Page, alice: User, said: list[str]) -> None:
    sign_in(page, alice)
    look(page, "empty", (PATH,))
    page.goto("/accounts/me")
    page.get_by_role("link", name="Chats").click()
    page.get_by_role("button", name="Make a code").click()
    shown = page.locator("main code").first.inner_text()
    code = re.fullmatch(r"/link ([A-Z2-9]{12})", shown)
    assert code is not None
    nothing_to_find(page, "with a code")
    assert redeem(person=ChatPerson(ChatKind.TELEGRAM, "42"), code=code[1]) == alice

    ChatLink.objects.create(
        user=alice, kind="slack", external_id="U" * 31, created_at=timezone.now(), created_by="sam"
    )
    look(page, "linked", (PATH,))
    assert code[1] not in page.content()
    page.get_by_role("button", name="Unlink Telegram 42").click()
    expect(page.get_by_text("Unlinked. Buttons that are pressed there do nothing any more.")).to_be_visible()
    assert list(ChatLink.objects.values_list("kind", flat=True)) == ["slack"]
