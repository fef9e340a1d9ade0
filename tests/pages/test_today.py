"""Today on the overview: P&L with its limit and stops, limit use, AI cost, drawdown, each with its limit and age; unknown with its reason."""

import re
from datetime import datetime, timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone
from pytest_django import Settings

from monitoring.triggers.models import Trigger
from opsconsole import env
from opsconsole.accounts.models import User
from opsconsole.console import today
from opsconsole.live.feeds import parts_of
from tests.desk import Desk
from tests.metrics.rows import a_series, gauge, partitions
from tests.pages.browse import Browse
from tests.pages.queries import most_queries
from tests.triggers.rows import only

PNL = "portfolio_daily_pnl_usd"


@pytest.fixture(autouse=True)
def _tables(db: None, settings: Settings) -> None:
    partitions()
    settings.TRADING_ZONE = env.zone("X", "UTC", environ={})


@pytest.fixture
def now() -> datetime:
    """Noon: no test is near a midnight."""
    return timezone.now().replace(hour=12, minute=0, second=30, microsecond=0)


def shown(now: datetime) -> str:
    """The card's text, each run of blanks one blank."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", rendered(now)))


def rendered(now: datetime) -> str:
    """As the live part is, at a time of ours."""
    return render_to_string("console/parts/today.html", {"today": today.read(now=now)})


def lose(now: datetime, usd: float, *, client: str = "desk-1", minutes: int = 3, ago: int = 0) -> None:
    """This P&L, reported once a minute until so many minutes ago."""
    last = now - timedelta(minutes=ago)
    row = a_series(PNL, client=client, when=last, value=usd)
    for number in range(minutes):
        gauge(row, f"{last - timedelta(minutes=number):%Y-%m-%d %H:%M}", usd)


def test_not_for_who_may_not_read_metrics(browse: Browse, charlie: User) -> None:
    assert 'id="today"' not in browse(charlie).get("/").content.decode()


def test_everything_is_unknown_before_anything_is_reported(browse: Browse, bob: User) -> None:
    text = browse(bob).get("/").content.decode()
    card = text.split('id="today"')[1].split("</section>")[0]
    assert "4 of 4 unknown" in card
    assert card.count("never reported") == 5
    assert "$0" not in card
    assert "No P&amp;L was reported since the trading day began." in card


def test_pnl_of_all_processes_beside_the_triggers_limit(now: datetime) -> None:
    only(threshold=-5000)
    lose(now, -2000)
    lose(now, -1118.4, client="desk-2")
    text = shown(now)
    assert "−$3,118.40" in text
    assert "Daily loss limit 62.4% of $5,000.00" in text
    assert "Limit −$5,000.00" in text


def test_near_and_over_the_limit_say_so(now: datetime) -> None:
    only(threshold=-5000)
    lose(now, -4100)
    assert "82.0% of $5,000.00, near the limit" in shown(now)
    lose(now, -1000, client="desk-2")
    assert "102.0% of $5,000.00, over the limit" in shown(now)
    assert "oc-meter-bad" in rendered(now)


def test_a_gain_uses_nothing_of_the_limit(now: datetime) -> None:
    only(threshold=-5000)
    lose(now, 900)
    assert "0.0% of $5,000.00" in shown(now)


def test_the_nearest_limit_counts_also_in_percent_of_the_portfolio(now: datetime) -> None:
    trigger = only(threshold=-5, percent_of="portfolio_value_usd")
    a_series("portfolio_value_usd", when=now, value=60_000)
    lose(now, -1500)
    assert "50.0% of $3,000.00" in shown(now)
    Trigger.objects.filter(pk=trigger.pk).update(enabled=False)
    assert "of $3,000.00" not in shown(now)


def test_without_a_trigger_the_processes_own_limit_is_told(now: datetime) -> None:
    Trigger.objects.all().delete()
    lose(now, -1500)
    a_series("portfolio_daily_loss_limit_used_pct", when=now, value=41)
    assert "Daily loss limit 41.0% of the processes’ own limits" in shown(now)


def test_one_silent_process_makes_the_sum_unknown(now: datetime) -> None:
    only(threshold=-5000)
    lose(now, -2000)
    lose(now, -100, client="desk-2", ago=8)
    text = shown(now)
    assert "stale, last reported 8 min ago by desk-2, was −$2,100.00" in text
    assert "P&amp;L is stale" in text


def test_cost_and_drawdown_stand_beside_their_limits(now: datetime, settings: Settings) -> None:
    settings.AI_DAILY_BUDGET_USD = 10
    row = a_series("ai_cost_usd_total", when=now, provider="anthropic", model="claude")
    gauge(row, f"{now:%Y-%m-%d %H:%M}", 8.12)
    a_series("portfolio_max_drawdown_pct", when=now - timedelta(seconds=9), value=2.1)
    text = shown(now)
    assert "AI cost $8.12 of $10.00, near the limit" in text
    assert "Drawdown 2.1% of 20% allowed reported 9 s ago" in text


def test_stops_are_marked_on_the_chart(alice: User, desk: Desk) -> None:
    moment = timezone.now()
    lose(moment, -10, minutes=1)
    assert 'class="stop"' not in rendered(moment)
    desk.stop(alice)
    assert '<text class="stop"' in rendered(timezone.now())


def test_a_drill_is_no_stop(alice: User, desk: Desk) -> None:
    lose(timezone.now(), -10, minutes=1)
    desk.stop(alice, drill=True)
    html = rendered(timezone.now())
    assert '<text class="drill"' in html
    assert 'class="stop"' not in html


def test_the_queries_are_bounded(now: datetime) -> None:
    for number in range(20):
        lose(now, -10, client=f"desk-{number}")
    with most_queries(12):
        today.read(now=now)


def test_it_refreshes_itself_when_metrics_come() -> None:
    (part,) = (part for part in parts_of("overview") if part.target == "today")
    assert {"metrics", "killswitch", "triggers"} <= part.topics
    assert 'id="today"' in part.render()


def test_the_phone_has_five_tabs_and_the_rest_behind_the_last(browse: Browse, bob: User) -> None:
    tabs = browse(bob).get("/").content.decode().split('class="oc-tabs"')[1].split("</nav>")[0]
    bar, menu = tabs.split('popovertarget="tabs-more"')
    assert bar.count("<a ") == 4
    assert re.findall(r"</svg>(\w+)", menu) == [
        "More",
        "Breakers",
        "Health",
        "Metrics",
        "Checklist",
        "Account",
    ]
