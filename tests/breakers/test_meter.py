"""The metrics that reports bring, each under its client."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from prometheus_client.parser import text_string_to_metric_families as parse

from monitoring.breakers import hooks
from monitoring.breakers.models import BreakerTransition
from monitoring.metrics.exposition import expose
from monitoring.metrics.models import Minute, Series
from opsconsole.accounts.models import User
from tests.breakers.reporting import NOW, Process, a_breaker
from tests.cast import caller

SECOND = timedelta(seconds=1)
COUNTS = {"success": 90, "failure": 5, "slow": 2, "ignored": 1}


def at_metrics(*, seconds: int = 0) -> dict[tuple[str, ...], float]:
    """Samples of breakers by name and label values, in the order of the exposition."""
    return {
        (sample.name.removeprefix("circuit_breaker_"), *sample.labels.values()): sample.value
        for family in parse(expose(now=NOW + seconds * SECOND))
        for sample in family.samples
        if sample.name.startswith("circuit_breaker_")
    }


def test_they_cannot_be_pushed(trader: User) -> None:
    series = [{"name": "circuit_breaker_rejected_total", "labels": {"name": "x"}, "inc": 1}]
    batch = {"batch_id": "b", "client": "AAPL", "sent_at": NOW.isoformat(), "series": series}
    answer = caller(trader).post("/monitoring/metrics/push", batch | {"sent_at": "2026-03-04T15:30:00Z"})
    assert answer.status_code == 400


@pytest.mark.django_db
def test_they_grow_by_what_each_report_brings() -> None:
    process, again = Process("AAPL"), Process("AAPL")
    process.report(a_breaker(counts=COUNTS | {"rejected": 3}))
    opened = process.changed("CLOSED", "OPEN", ago_s=4.0)
    process.report(
        a_breaker(state="OPEN", state_s=4.0, counts=COUNTS | {"rejected": 10}),
        transitions=[opened],
        now=NOW + 10 * SECOND,
    )
    assert at_metrics() == {
        ("state", "yahoo_finance", "AAPL"): 2,
        ("transitions_total", "yahoo_finance", "OPEN", "AAPL"): 1,
        ("rejected_total", "yahoo_finance", "AAPL"): 10,
        ("open_seconds_total", "yahoo_finance", "AAPL"): 4,
    }
    closed = process.changed("OPEN", "CLOSED", why="reset", ago_s=2.0, in_previous_s=12.0)
    for _ in range(2):
        process.report(
            a_breaker(state_s=2.0, counts=COUNTS | {"rejected": 15}),
            transitions=[opened, closed],
            report_id="the same",
            now=NOW + 20 * SECOND,
        )
    # A new process of that name begins to count anew.
    again.report(a_breaker(counts=COUNTS | {"rejected": 2}), now=NOW + 21 * SECOND)
    assert at_metrics() == {
        ("state", "yahoo_finance", "AAPL"): 0,
        ("transitions_total", "yahoo_finance", "OPEN", "AAPL"): 1,
        ("transitions_total", "yahoo_finance", "CLOSED", "AAPL"): 1,
        ("rejected_total", "yahoo_finance", "AAPL"): 17,
        ("open_seconds_total", "yahoo_finance", "AAPL"): 12,
    }


@pytest.mark.django_db
def test_a_minute_knows_of_an_opening_that_was_soon_over() -> None:
    process = Process()
    changes = [
        process.changed("CLOSED", "OPEN"),
        process.changed("OPEN", "CLOSED", why="reset", ago_s=1.0, in_previous_s=9.0),
    ]
    process.report(a_breaker(state_s=1.0), transitions=changes)
    minute = Minute.objects.get(series_id=Series.objects.get(name="circuit_breaker_state").pk)
    assert (minute.low, minute.high, minute.last) == (0.0, 2.0, 0.0)


@pytest.mark.django_db
def test_what_does_not_change_is_counted_once_a_minute() -> None:
    process = Process()
    for number in range(18):
        process.report(a_breaker(), now=NOW + 10 * number * SECOND)
    series = Series.objects.get(name="circuit_breaker_state")
    assert list(
        Minute.objects.filter(series_id=series.pk).order_by("at").values_list("count", flat=True)
    ) == [2, 1, 1]


@pytest.mark.django_db
def test_a_state_that_nobody_reports_any_more_is_not_shown() -> None:
    process = Process()
    process.opens()
    assert ("state", "yahoo_finance", "AAPL") in at_metrics(seconds=299)
    assert ("state", "yahoo_finance", "AAPL") not in at_metrics(seconds=301)
    assert ("open_seconds_total", "yahoo_finance", "AAPL") in at_metrics(seconds=301)
    process.report(a_breaker(), now=NOW + 400 * SECOND)
    assert at_metrics(seconds=401)["state", "yahoo_finance", "AAPL"] == 0


@pytest.mark.django_db
def test_what_could_not_be_counted_is_counted_with_the_next_report(monkeypatch: pytest.MonkeyPatch) -> None:
    process = Process()

    def fail(*_: Any) -> None:
        raise DatabaseError("nothing can be counted")

    with monkeypatch.context() as patch:
        patch.setattr(hooks, "_meters", [*hooks._meters, fail])
        process.opens()
    assert (BreakerTransition.objects.count(), at_metrics()) == (1, {})
    process.report(
        a_breaker(state="OPEN", state_s=20.0, counts=COUNTS | {"rejected": 5}), now=NOW + 10 * SECOND
    )
    assert at_metrics()["open_seconds_total", "yahoo_finance", "AAPL"] == 20
    assert at_metrics()["rejected_total", "yahoo_finance", "AAPL"] == 5
    assert at_metrics()["transitions_total", "yahoo_finance", "OPEN", "AAPL"] == 1
