"""When a transition happened is told by its age; how long the report was on its way does not count."""

from datetime import datetime, timedelta

import pytest

from monitoring.breakers.models import BreakerTransition
from tests.breakers.reporting import NOW, Process, a_breaker

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)


def opened_at(process: Process, *, now: datetime, sent_s: float) -> datetime:
    """Where the console puts an opening of which a report says that it was ten seconds before it was sent."""
    process.opens(now=now, sent_s=sent_s)
    return BreakerTransition.objects.filter(instance=process.instance).latest("seq").at


def test_a_report_that_stood_still_on_its_way() -> None:
    process = Process()
    process.report(a_breaker(), now=NOW, sent_s=500.0)
    late = opened_at(process, now=NOW + 60 * SECOND, sent_s=520.0)
    assert abs(late - (NOW + 10 * SECOND)) < SECOND / 10


def test_a_quicker_report_says_better_how_the_clocks_stand() -> None:
    process = Process()
    process.report(a_breaker(), now=NOW + 3 * SECOND, sent_s=500.0)
    assert opened_at(process, now=NOW + 20 * SECOND, sent_s=520.0) == NOW + 10 * SECOND
    late = opened_at(process, now=NOW + 49 * SECOND, sent_s=540.0)
    assert abs(late - (NOW + 30 * SECOND)) < SECOND / 10


def test_clocks_that_drift_apart() -> None:
    process = Process()
    process.report(a_breaker(), now=NOW, sent_s=0.0)
    day = 86_400
    # The process' clock has lost five seconds in a day, which is within what clocks drift.
    assert opened_at(process, now=NOW + day * SECOND, sent_s=day - 5.0) == NOW + (day - 10) * SECOND


def test_a_clock_that_was_set() -> None:
    process = Process()
    process.report(a_breaker(), now=NOW, sent_s=5_000.0)
    later = NOW + timedelta(hours=1)
    assert opened_at(process, now=later, sent_s=5_020.0) == later - 10 * SECOND


def test_a_process_that_does_not_say_when_it_sent_it() -> None:
    process = Process()
    process.opens(now=NOW)
    assert BreakerTransition.objects.get().at == NOW - 10 * SECOND


@pytest.mark.parametrize("sent_s", [-1, 1e12, "now"])
def test_refuses_what_is_no_clock(sent_s: object) -> None:
    with pytest.raises(ValueError, match="sent_s"):
        Process().report(a_breaker(), sent_s=sent_s)
