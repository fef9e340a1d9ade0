"""A changed rule, run over stored alerts: what would have been sent, from the function and from the command."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from alerts.choices import Decision
from alerts.decision import RuleState
from alerts.matching import Matcher
from alerts.models import Alert, MinuteTally
from alerts.policy import rules_now
from alerts.replay import Replayed, replay
from alerts.services import silencing
from alerts.services.ending import release_held
from tests.alerts.raising import NIGHT, NOON, an_alert, minutes, raised, set_rule
from tests.cast import ROOT

pytestmark = pytest.mark.django_db


def rule(**values: object) -> RuleState:
    return replace(rules_now()["RISK_WARNING"], **values)  # type: ignore[arg-type]


def replayed(of: RuleState, *, since: datetime = NOON) -> Replayed:
    return replay(rule=of, since=since, until=minutes(1440))


def test_nothing_stored() -> None:
    found = replayed(rule())
    assert (found.total, found.changed, found.examples, found.complete) == (0, 0, [], True)


def test_the_same_rule_changes_nothing() -> None:
    """A morning, an evening and a night of random alerts, with a silence, resolves and what quiet hours held."""
    set_rule(max_per_hour=6)
    silencing.create(
        actor=ROOT,
        matchers=[Matcher("alertname", "a1")],
        starts_at=NOON,
        ends_at=minutes(90),
        comment="",
        now=NOON,
    )
    random = Random(3)
    for step in range(300):
        at = minutes(step * 4)
        release_held(now=at)
        titles = random.sample(range(10), 3)
        raised(
            at,
            *[
                an_alert(f"a{n}", resolved=random.random() < 0.1, force=random.random() < 0.02)
                for n in titles
            ],
        )
    found = replayed(rule())
    stored: Counter[str] = Counter()
    for decision, count in MinuteTally.objects.values_list("decision", "count"):
        stored[decision] += count
    assert len(stored) >= 4
    assert found.total == sum(stored.values())
    assert dict(found.then) == dict(stored)
    # The times of repeats are not kept, so a few of them fall into another window or hour.
    assert found.changed <= found.total * 0.08
    assert found.would_send == pytest.approx(stored["SENT"], rel=0.08)


@pytest.mark.parametrize(
    ("values", "sent", "suppressed"),
    [
        ({}, 2, {"DEDUPED": 9}),
        ({"dedupe_window_minutes": 0}, 11, {}),
        ({"dedupe_window_minutes": 0, "max_per_hour": 3}, 3, {"RATE_LIMITED": 8}),
        ({"min_priority": "CRITICAL"}, 0, {"BELOW_MINIMUM": 11}),
        ({"enabled": False}, 0, {"DISABLED": 11}),
        ({"quiet_start": 12, "quiet_end": 13}, 0, {"QUIET_HOURS": 11}),
    ],
)
def test_counts_what_would_have_been(
    values: dict[str, object], sent: int, suppressed: dict[str, int]
) -> None:
    for minute in range(10):
        raised(minutes(minute))
    raised(minutes(15))
    found = replayed(rule(**values))
    assert (found.total, found.would_send, found.would_suppress) == (11, sent, suppressed)
    assert found.then == {Decision.SENT: 2, Decision.DEDUPED: 9}
    assert (found.changed > 0) == bool(values)
    assert len(found.examples) == found.changed
    assert all(example.then != example.now for example in found.examples)
    assert all(example.trace for example in found.examples)


def test_a_storm_is_counted_without_going_through_each() -> None:
    raised(NOON)
    Alert.objects.update(
        decision="DEDUPED", repeats=9_999_999, decided_at=minutes(1), repeated_at=minutes(50), sent_at=None
    )
    found = replayed(rule(dedupe_window_minutes=10))
    assert (found.total, found.would_send) == (10_000_000, 5)


def test_what_lies_before_counts_for_the_window_but_not_in_the_sum() -> None:
    raised(NOON)
    raised(minutes(5))
    found = replayed(rule(), since=minutes(3))
    assert (found.total, found.would_suppress) == (1, {"DEDUPED": 1})


def test_quiet_hours_that_are_over_have_told_it() -> None:
    raised(NIGHT)
    found = replayed(rule(quiet_start=0, quiet_end=0))
    assert (found.would_send, found.changed) == (1, 1)


def test_the_command_prints_it() -> None:
    hour_ago = timezone.now() - timedelta(hours=1)
    set_rule(quiet_start=0, quiet_end=0)
    for minute in range(3):
        raised(minutes(minute, hour_ago))
    written = StringIO()
    arguments = ["--rule=RISK_WARNING", "--since=2h", "--dedupe-window-minutes=1"]
    call_command("alerts", "replay", *arguments, stdout=written)
    text = written.getvalue()
    assert "RISK_WARNING, the last 2h: 3 alerts" in text
    assert "dedupe_window_minutes: 15 → 1" in text
    assert "2 would have fared otherwise." in text
    assert "duplicate → sent: every gate let it through" in text
    assert Alert.objects.get().decision == "DEDUPED"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--rule=X"], "--rule must be one of SYSTEM_ERROR"),
        (["--since=7"], "--since must be a time such as 90m"),
        (["--since=91d"], "at most 90d"),
        (["--min-priority=x"], "--min-priority must be one of LOW"),
        (["--max-per-hour=-1"], "--max-per-hour must not be negative"),
        (["--quiet=22-24"], "--quiet must be two hours"),
        (["--time-zone=Mars"], "--time-zone must be a name of the time-zone database"),
    ],
)
def test_the_command_refuses(arguments: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        call_command("alerts", "replay", "--rule=RISK_WARNING", *arguments)


def test_the_command_takes_every_value() -> None:
    written = StringIO()
    arguments = [
        *("--rule=RISK_WARNING", "--quiet=none", "--quiet-passes=LOW", "--time-zone=Europe/Berlin"),
        *("--enabled=no", "--max-per-hour=1", "--min-priority=HIGH"),
    ]
    call_command("alerts", "replay", *arguments, stdout=written)
    for line in ("enabled: True → False", "quiet_start: 22 → 0", "time_zone: UTC → Europe/Berlin"):
        assert line in written.getvalue()
