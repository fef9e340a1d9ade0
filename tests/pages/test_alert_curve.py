"""The curve beside an alert that a trigger raised: its metric around that moment, with the threshold of that time; nothing beside other alerts."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django.utils.safestring import SafeString

from alerts import curves
from alerts.models import Alert
from alerts.services.submitting import decide_submissions
from killswitch.models import Activation
from monitoring.triggers import alarms
from monitoring.triggers.choices import Act
from monitoring.triggers.decision import Event, Outcome
from monitoring.triggers.models import Trigger
from opsconsole.accounts.models import User
from tests.alert_rows import an_alert
from tests.desk import Desk
from tests.metrics.rows import a_series, gauge, minute, partitions
from tests.pages.browse import Browse
from tests.triggers.rows import GAUGE, only


@pytest.fixture(autouse=True)
def _tables(db: None) -> None:
    partitions()


@pytest.fixture
def raised() -> datetime:
    return timezone.now() - timedelta(minutes=45)


def raise_of(trigger: Trigger, raised: datetime) -> Alert:
    alarms.told(trigger, Event(Outcome.TRIPPED, Act.ALERT, "loss is -6,000"), now=raised)
    return decided(raised)


def decided(now: datetime) -> Alert:
    """The newest of what was submitted, which a thread would decide otherwise."""
    decide_submissions(now=now)
    return Alert.objects.latest("pk")


def values(name: str, raised: datetime, *numbers: float, client: str = "desk-1", **labels: str) -> None:
    """One a minute, the last one in the minute of the alert."""
    row = a_series(name, client=client, when=raised, value=numbers[-1], **labels)
    for number, value in enumerate(reversed(numbers)):
        when = f"{raised - timedelta(minutes=number):%Y-%m-%d %H:%M}"
        if name.endswith("_total"):
            minute(row, when, value)
        else:
            gauge(row, when, value)


def page(browse: Browse, user: User, alert: Alert) -> str:
    return str(browse(user).get(f"/alerts/{alert.pk}").content.decode())


def words(html: str) -> str:
    card = html.split('id="alert-curve"')[1].split("</section>", maxsplit=1)[0]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", card.partition(">")[2]))


def described(html: str) -> str:
    return html.split('role="img" aria-label="')[1].split('"', maxsplit=1)[0]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"source": "api", "labels": {"trigger": "loss", "metric": GAUGE}},
        {"source": "triggers", "labels": {"trigger": "another"}},
        {"details": {"activation": 4711}},
        {"details": {"activation": "nonsense"}},
    ],
)
def test_nothing_beside_what_no_trigger_raised(browse: Browse, bob: User, more: dict[str, Any]) -> None:
    only()
    assert "alert-curve" not in page(browse, bob, an_alert(**more))


def test_nothing_beside_a_stop_by_hand(browse: Browse, bob: User, alice: User, desk: Desk) -> None:
    only()
    desk.stop(alice)
    assert "alert-curve" not in page(browse, bob, decided(timezone.now()))


def test_nothing_when_the_trigger_is_gone(browse: Browse, bob: User, raised: datetime) -> None:
    alert = raise_of(only(), raised)
    Trigger.objects.all().delete()
    assert "alert-curve" not in page(browse, bob, alert)


def test_says_unknown_when_the_minutes_are_not_kept(browse: Browse, bob: User, raised: datetime) -> None:
    text = words(page(browse, bob, raise_of(only(), raised)))
    assert "unknown: no values of these minutes are kept" in text
    assert "Limit −$5,000.00" in text


def test_the_sum_with_its_limit_the_moment_and_the_same_as_a_table(
    browse: Browse, bob: User, raised: datetime
) -> None:
    values(GAUGE, raised, -1000, -4000)
    values(GAUGE, raised, -500, -2000, client="desk-2")
    html = page(browse, bob, raise_of(only(), raised))
    said = described(html)
    assert "lowest −$6,000.00, highest −$1,500.00" in said
    assert "Limit −$5,000.00. Raised." in said
    assert 'class="raised"' in html
    assert "−$6,000.00" in words(html)
    assert re.search(r'href="/trading\?range=6h#panel-pnl"', html)


def test_shows_half_an_hour_before_and_after(browse: Browse, bob: User, raised: datetime) -> None:
    values(GAUGE, raised - timedelta(minutes=36), -9999)
    values(GAUGE, raised + timedelta(minutes=30), *[-100] * 61, client="desk-2")
    values(GAUGE, raised + timedelta(minutes=33), -7777, client="desk-3")
    assert "lowest −$100.00, highest −$100.00" in described(page(browse, bob, raise_of(only(), raised)))


def test_the_threshold_stays_that_of_then(browse: Browse, bob: User, raised: datetime) -> None:
    values(GAUGE, raised, -6000)
    alert = raise_of(only(), raised)
    Trigger.objects.update(threshold=-9000)
    assert "Limit −$5,000.00" in described(page(browse, bob, alert))


def test_beside_the_stop_that_a_trigger_caused(browse: Browse, bob: User, alice: User, desk: Desk) -> None:
    only()
    moment = timezone.now()
    values(GAUGE, moment, -6000)
    desk.stop(alice)
    Activation.objects.update(metadata={"trigger": "loss", "metric": GAUGE, "threshold": -5500})
    html = page(browse, bob, decided(timezone.now()))
    assert "Limit −$5,500.00. Raised." in described(html)
    assert 'href="/trading?range=1h#panel-pnl"' in html


def test_in_percent_of_the_whole(browse: Browse, bob: User, raised: datetime) -> None:
    values(GAUGE, raised, -1000)
    values("portfolio_value_usd", raised, 20_000)
    trigger = only(percent_of="portfolio_value_usd", threshold=-4)
    said = described(page(browse, bob, raise_of(trigger, raised)))
    assert "lowest −5.0%" in said
    assert "Limit −4.0%" in said


def test_the_largest_is_the_worst_of_each_minute(browse: Browse, bob: User, raised: datetime) -> None:
    row = a_series("risk_score", when=raised, risk_type="market", ticker="IBM")
    gauge(row, f"{raised:%Y-%m-%d %H:%M}", 40, 91, 55)
    trigger = only(metric="risk_score", aggregate="LARGEST", comparison="ABOVE", threshold=80)
    assert "highest 91" in described(page(browse, bob, raise_of(trigger, raised)))


def test_increases_are_added_up_over_the_window(browse: Browse, bob: User, raised: datetime) -> None:
    values("volatility_breach_total", raised, 1, 2, 3, ticker="IBM")
    trigger = only(
        metric="volatility_breach_total",
        aggregate="INCREASE",
        window_seconds=60,
        comparison="ABOVE",
        threshold=4,
    )
    assert "lowest 0, highest 5" in described(page(browse, bob, raise_of(trigger, raised)))


@pytest.fixture
def _broken() -> Iterator[None]:
    def fail(alert: Alert, now: datetime) -> SafeString:
        raise RuntimeError("a curve that cannot be drawn")

    before = list(curves._drawn_by)
    curves._drawn_by.insert(0, fail)
    yield
    curves._drawn_by[:] = before


@pytest.mark.usefixtures("_broken")
def test_what_cannot_be_drawn_keeps_nobody_from_the_alert(
    browse: Browse, bob: User, raised: datetime
) -> None:
    values(GAUGE, raised, -6000)
    assert "alert-curve" in page(browse, bob, raise_of(only(), raised))
