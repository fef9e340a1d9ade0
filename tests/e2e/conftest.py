from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

from killswitch.models import TradingClient
from opsconsole.accounts.models import User
from opsconsole.accounts.roles import Role
from opsconsole.live.publish import publish
from tests.browser import launched
from tests.cast import account
from tests.console import ConsoleProcess
from tests.desk import Desk
from tests.e2e.visitor import sign_in
from tests.health.rows import looked_at
from tests.metrics.desk import fill
from tests.metrics.rows import partitions

# What a browser says of a link that broke is expected in tests that break it.
ABOUT_THE_LINK = (
    "htmx:sse:error",
    "htmx:error: Failed to fetch",
    "htmx:error: timeout {elt: div#live",
    "Failed to load resource",
    "/live?page=",
)


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One for all these tests. Not for the session: while it runs, no test of the process can use asyncio."""
    # Playwright's loop counts as running in this thread, where Django then refuses the ORM.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        with launched() as started:
            yield started
            connections.close_all()


@pytest.fixture
def context(browser: Browser, console: ConsoleProcess) -> Iterator[BrowserContext]:
    """A browser's profile of its own, at the console."""
    made = browser.new_context(base_url=console.url)
    yield made
    made.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def alice(console: ConsoleProcess) -> User:
    return account("alice", Role.OPERATOR)


@pytest.fixture
def sam(console: ConsoleProcess) -> User:
    return account("sam", Role.SUPERVISOR)


@pytest.fixture
def desk(console: ConsoleProcess) -> Desk:
    """Four processes, which nothing but the test moves: no lease runs out while it waits, which would be a proof, too."""
    made = Desk(account("trader", Role.TRADING_SYSTEM, is_service=True))
    made.connect("AAPL", "GOOG", "IBM", "MSFT")
    TradingClient.objects.update(lease_until=timezone.now() + timedelta(minutes=5))
    return made


@pytest.fixture
def said(context: BrowserContext) -> Iterator[list[str]]:
    """What the browser complained of: scripts' errors and breaches of the policy. A test that uses it ends with none."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(part in message.text for part in ABOUT_THE_LINK):
            complaints.append(message.text)

    context.on("console", note)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield complaints
    assert complaints == []


@pytest.fixture
def desktop(page: Page, alice: User, said: list[str]) -> Page:
    """Alice at a desk, signed in, before she opens a page."""
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in(page, alice)
    return page


@pytest.fixture
def second(context: BrowserContext, console: ConsoleProcess) -> Iterator[Callable[[User], Page]]:
    """Another person's browser, signed in, without a page yet."""
    browser = context.browser
    assert browser is not None
    opened: list[BrowserContext] = []

    def sit_down(user: User) -> Page:
        opened.append(browser.new_context(base_url=console.url))
        page = opened[-1].new_page()
        sign_in(page, user)
        return page

    yield sit_down
    for other in opened:
        other.close()


@pytest.fixture
def now(console: ConsoleProcess) -> Iterator[datetime]:
    """When the desk's metrics end. All components of health are well, and stay so."""
    partitions()
    moment = timezone.now()
    fill(moment, length=timedelta(hours=6))
    looked_at(now=moment, interval_seconds=3600)
    with transaction.atomic():
        # What the web process has drawn for the page of another test is old now.
        for topic in ("metrics", "health", "breakers"):
            publish(topic)
    yield moment
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE monitoring_minute_all, monitoring_five_all, monitoring_hour_all")
