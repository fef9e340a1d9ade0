"""What a person does in the browser, and what they wait for."""

from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from opsconsole.accounts.models import User

# Presses this soon after the first are its bounce (static/console/press.js).
BOUNCE_MS = 300


def sign_in(page: Page, user: User) -> None:
    """By a session of its own making: the form has its own test, and its password hash is slow on purpose. No page is open yet."""
    client = Client()
    client.force_login(user, backend="opsconsole.accounts.backends.PeopleBackend")
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "domain": "127.0.0.1", "path": "/"}]
    )


def wait_for_link(page: Page) -> None:
    expect(page.locator("html[data-link=live]")).to_be_attached()


def wait_for_state(page: Page, state: str) -> None:
    expect(page.locator(f"#state[data-state={state}]")).to_be_attached()


def pressed(page: Page) -> str:
    """Where the press stands: empty, armed, sending, again or failed."""
    return str(page.evaluate("document.documentElement.dataset.press || ''"))


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id"))


def let_bounce_pass(page: Page) -> None:
    """Waits in the browser's own clock, by which the script judges."""
    page.evaluate(f"new Promise((done) => setTimeout(done, {BOUNCE_MS + 50}))")
