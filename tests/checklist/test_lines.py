"""Each line of the checklist, evaluated as things are now."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from alerts.models import Alert
from killswitch import services as killswitch
from monitoring.breakers.models import CircuitBreaker
from monitoring.health.models import HealthComponent
from monitoring.metrics.models import Series
from opsconsole.checklist import selectors
from opsconsole.checklist.choices import Verdict
from opsconsole.checklist.lines import Line
from tests.alert_rows import an_alert
from tests.breakers import rows
from tests.breakers.reporting import Process
from tests.cast import ROOT
from tests.checklist.conftest import NOW
from tests.metrics.rows import minute
from tests.pages.queries import most_queries

pytestmark = pytest.mark.usefixtures("all_green")


def lines() -> dict[str, Line]:
    return {line.key: line for line in selectors.evaluated(now=NOW).lines}


def test_all_green() -> None:
    assert {line.verdict for line in lines().values()} == {Verdict.GREEN}
    assert [line.text for line in lines().values()][2:] == [
        "93.4%, more than 90% wanted",
        "$0.00, less than $10.00 wanted",
        "The only one is closed",
        "Armed: all scopes may trade",
    ]


def degrade() -> None:
    HealthComponent.objects.filter(slug="disk-space").update(status="degraded", message="91% used")


def lose_sight() -> None:
    HealthComponent.objects.filter(slug="disk-space").update(checked_at=NOW - timedelta(hours=1))


def alert() -> None:
    an_alert(first_at=NOW - timedelta(hours=3))
    Alert.objects.update(sent_at=NOW - timedelta(hours=3), due_at=NOW - timedelta(hours=1))


def cool_down() -> None:
    Series.objects.filter(name="cache_hit_rate").update(value=90)


def silence_the_cache() -> None:
    Series.objects.filter(name="cache_hit_rate").update(at=NOW - timedelta(minutes=6))


def spend() -> None:
    minute(Series.objects.get(name="ai_cost_usd_total"), "2026-11-24 13:30", 10.0)


def lose_the_cost() -> None:
    Series.objects.filter(name="ai_cost_usd_total").delete()


def open_a_breaker() -> None:
    Process(name="GOOG").opens("sec_edgar", now=NOW)


def lose_the_breakers() -> None:
    CircuitBreaker.objects.all().delete()


def stop() -> None:
    killswitch.activate(actor=ROOT, reason="MANUAL", message="", scope="symbol:IBM")


def go_silent() -> None:
    rows.breakers(["batch"], now=NOW)


@pytest.mark.parametrize(
    ("act", "key", "verdict", "words"),
    [
        (degrade, "health", Verdict.RED, "Degraded: Disk Space is degraded: 91% used"),
        (lose_sight, "health", Verdict.UNKNOWN, "Unknown: Disk Space is unknown"),
        (alert, "alerts", Verdict.RED, "1 told since the last review; 1 needs somebody, 1 overdue"),
        (cool_down, "cache_hit_rate", Verdict.RED, "90.0%, more than 90% wanted"),
        (
            silence_the_cache,
            "cache_hit_rate",
            Verdict.UNKNOWN,
            "unknown: stale, last reported 6 min ago, was 93.4%, more than 90% wanted",
        ),
        (spend, "ai_cost", Verdict.RED, "$10.00, less than $10.00 wanted"),
        (lose_the_cost, "ai_cost", Verdict.UNKNOWN, "unknown: never reported, less than $10.00 wanted"),
        (open_a_breaker, "breakers", Verdict.RED, "1 of 2 not closed: sec_edgar"),
        (lose_the_breakers, "breakers", Verdict.UNKNOWN, "None has been reported"),
        (go_silent, "breakers", Verdict.UNKNOWN, "1 of 2 unknown: no process reports them"),
        (stop, "kill_switch", Verdict.RED, "symbol:IBM is HALTED"),
    ],
)
def test_what_is_not_so_is_named(act: Callable[[], None], key: str, verdict: Verdict, words: str) -> None:
    act()
    found = lines()
    assert (found[key].verdict, found[key].text) == (verdict, words)
    assert [line.key for line in found.values() if not line.green] == [key]


def test_many_breakers_are_named_as_far_as_there_is_room_and_read_at_once() -> None:
    made = rows.breakers([*"gfedcba", "batch"], now=NOW)
    there = rows.processes(["GOOG"], now=NOW)
    rows.states(made[:5], there, "OPEN", now=NOW)
    rows.states(made[5:7], there, "HALF_OPEN", now=NOW)
    with most_queries(12):
        found = lines()["breakers"]
    assert found.text == "7 of 9 not closed: c, d, e, f, g and 2 more"
    assert found.values == {
        "OPEN": 5,
        "HALF_OPEN": 2,
        "CLOSED": 1,
        "UNKNOWN": 1,
        "not_closed": ["c", "d", "e", "f", "g"],
    }
