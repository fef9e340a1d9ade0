"""How pages write durations, numbers and events."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from opsconsole.audit.models import AuditEvent
from opsconsole.console import wording
from opsconsole.console.templatetags import console


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, "unknown"),
        (0.4, "0 ms"),
        (38, "38 ms"),
        (999.4, "999 ms"),
        (999.5, "1.00 s"),
        (1870, "1.87 s"),
        (90_000, "1 min"),
    ],
)
def test_milliseconds(ms: float | None, words: str) -> None:
    assert console.milliseconds(ms).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0 s"),
        (12, "12 s"),
        (1080, "18 min"),
        (7560, "2 h 06 min"),
        (86_400, "1 day 0 h"),
        (273_600, "3 days 4 h"),
    ],
)
def test_duration(seconds: int, words: str) -> None:
    assert console.duration(timedelta(seconds=seconds)).replace("\u00a0", " ") == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(300, "+300"), (-40, "−40"), (0, "0"), (-1234.5, "−1,234.5"), ("?", "?"), (True, "True")],
)
def test_signed(value: object, words: str) -> None:
    assert console.signed(value) == words


def test_moment_by_its_distance() -> None:
    now = timezone.now()
    assert f">{now:%H:%M:%S}<" in console.moment(now)
    past = datetime(2008, 9, 15, 14, 30, tzinfo=UTC)
    assert ">15 Sep 2008 14:30<" in console.moment(past)
    assert 'title="2008-09-15 14:30:00 UTC"' in console.moment(past)
    assert console.moment(None, unknown="never") == "never"


def test_an_event_that_nobody_named_is_shown_as_it_is() -> None:
    known = AuditEvent(action="killswitch.activated", object_label="symbol:IBM HALTED")
    other = AuditEvent(action="rule.changed", object_label="RISK_WARNING")
    assert wording.words_of(known) == "stopped symbol:IBM"
    assert wording.words_of(other) == "rule.changed RISK_WARNING"
