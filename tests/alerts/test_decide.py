"""The pure decision: each gate, their order, and what the trace says."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from alerts.choices import Decision, Gate
from alerts.decision import GATES, HaltSeen, Request, RuleState, SilenceSeen, decide

NOON = datetime(2026, 11, 23, 17, 13, tzinfo=UTC)
NIGHT = datetime(2026, 11, 24, 4, 14, tzinfo=UTC)
ZONE = "America/New_York"
RULE = RuleState(
    category="RISK_WARNING",
    enabled=True,
    default_priority="HIGH",
    min_priority="MEDIUM",
    max_per_hour=20,
    dedupe_window_minutes=15,
    quiet_start=22,
    quiet_end=7,
    time_zone=ZONE,
    quiet_passes="CRITICAL",
)
ASKED = Request(at=NOON, priority="HIGH", silences=2, sent_this_hour=2)
SILENCE = SilenceSeen("5b1c", "dana", NOON + timedelta(hours=1), "known")
HALT = HaltSeen("symbol:IBM", NOON - timedelta(minutes=5), 48)


def at_gate(request: Request, rule: RuleState, gate: Gate) -> dict[str, Any]:
    return next(facts for facts in decide(request, rule).trace if facts["gate"] == gate)


def test_sent_with_every_gate_in_order() -> None:
    decision, trace = decide(ASKED, RULE)
    assert decision == Decision.SENT
    assert trace == [
        {"gate": "force", "passed": True, "forced": False},
        {"gate": "enabled", "passed": True},
        {"gate": "silence", "passed": True, "active": 2},
        {"gate": "expected", "passed": True},
        {"gate": "minimum_priority", "passed": True, "priority": "HIGH", "minimum": "MEDIUM"},
        {
            "gate": "dedupe",
            "passed": True,
            "window_minutes": 15,
            "last_sent_at": None,
            "age_seconds": None,
        },
        {
            "gate": "rate_limit",
            "passed": True,
            "sent": 2,
            "limit": 20,
            "hour": "2026-11-23T17:00:00+00:00",
        },
        {
            "gate": "quiet_hours",
            "passed": True,
            "local": "12:13",
            "start": 22,
            "end": 7,
            "zone": ZONE,
            "passes": "CRITICAL",
        },
    ]
    assert [facts["gate"] for facts in trace] == Gate.values


HELD = [
    (Decision.DISABLED, ASKED, replace(RULE, enabled=False), {}),
    (
        Decision.SILENCED,
        replace(ASKED, silence=SILENCE),
        RULE,
        {
            "active": 2,
            "silence": "5b1c",
            "by": "dana",
            "until": "2026-11-23T18:13:00+00:00",
            "comment": "known",
        },
    ),
    (
        Decision.EXPECTED,
        replace(ASKED, halt=HALT),
        RULE,
        {
            "because": {
                "kind": "halt",
                "scope": "symbol:IBM",
                "since": "2026-11-23T17:08:00+00:00",
                "activation": 48,
            }
        },
    ),
    (
        Decision.BELOW_MINIMUM,
        replace(ASKED, priority="LOW"),
        RULE,
        {"priority": "LOW", "minimum": "MEDIUM"},
    ),
    (
        Decision.DEDUPED,
        replace(ASKED, last_sent_at=NOON - timedelta(minutes=4)),
        RULE,
        {"window_minutes": 15, "last_sent_at": "2026-11-23T17:09:00+00:00", "age_seconds": 240.0},
    ),
    (
        Decision.RATE_LIMITED,
        replace(ASKED, sent_this_hour=20),
        RULE,
        {"sent": 20, "limit": 20, "hour": "2026-11-23T17:00:00+00:00"},
    ),
    (
        Decision.QUIET_HOURS,
        replace(ASKED, at=NIGHT),
        RULE,
        {
            "local": "23:14",
            "start": 22,
            "end": 7,
            "zone": ZONE,
            "passes": "CRITICAL",
            "until": "2026-11-24T12:00:00+00:00",
        },
    ),
]


@pytest.mark.parametrize(("expected", "request_", "rule", "facts"), HELD, ids=[row[0] for row in HELD])
def test_held_by_one_gate(
    expected: Decision, request_: Request, rule: RuleState, facts: dict[str, Any]
) -> None:
    decision, trace = decide(request_, rule)
    gate = next(gate for gate, held, _ in GATES if held == expected)
    assert decision == expected
    assert trace[-1] == {"gate": gate, "passed": False} | facts
    assert all(one["passed"] for one in trace[:-1])


@pytest.mark.parametrize("first", range(len(HELD)))
def test_the_first_gate_that_holds_it_decides(first: int) -> None:
    """All gates from this one on would hold it: this one does."""
    request = Request(
        at=NIGHT,
        priority="LOW" if first <= 3 else "HIGH",
        silences=1,
        silence=SILENCE if first <= 1 else None,
        halt=HALT if first <= 2 else None,
        last_sent_at=NIGHT if first <= 4 else None,
        sent_this_hour=20 if first <= 5 else 0,
    )
    decision, trace = decide(request, replace(RULE, enabled=first > 0))
    assert decision == HELD[first][0]
    assert len(trace) == first + 2


def test_force_asks_no_other_gate() -> None:
    request = Request(at=NIGHT, priority="LOW", forced=True, silence=SILENCE, halt=HALT, sent_this_hour=99)
    decision, trace = decide(request, replace(RULE, enabled=False))
    assert (decision, trace) == (Decision.SENT, [{"gate": "force", "passed": True, "forced": True}])


@pytest.mark.parametrize(
    ("age", "window", "expected"),
    [(0, 15, "DEDUPED"), (899.999, 15, "DEDUPED"), (900, 15, "SENT"), (0, 0, "SENT"), (-5, 15, "DEDUPED")],
)
def test_duplicate_until_the_window_is_over(age: float, window: int, expected: str) -> None:
    request = replace(ASKED, last_sent_at=NOON - timedelta(seconds=age))
    assert decide(request, replace(RULE, dedupe_window_minutes=window)).decision == expected


def test_more_urgent_than_before_is_no_duplicate() -> None:
    request = replace(ASKED, last_sent_at=NOON - timedelta(minutes=4), raised_from="MEDIUM")
    assert decide(request, RULE).decision == Decision.SENT
    assert at_gate(request, RULE, Gate.DEDUPE)["raised_from"] == "MEDIUM"
    # After the window it is none anyway.
    late = replace(request, last_sent_at=NOON - timedelta(minutes=20))
    assert "raised_from" not in at_gate(late, RULE, Gate.DEDUPE)


def test_says_that_it_flaps() -> None:
    request = replace(ASKED, last_sent_at=NOON - timedelta(minutes=4), flaps=3)
    assert at_gate(request, RULE, Gate.DEDUPE)["flaps"] == 3


@pytest.mark.parametrize(
    ("sent", "limit", "expected"), [(19, 20, "SENT"), (20, 20, "RATE_LIMITED"), (0, 0, "RATE_LIMITED")]
)
def test_limit_of_the_hour(sent: int, limit: int, expected: str) -> None:
    request = replace(ASKED, sent_this_hour=sent)
    assert decide(request, replace(RULE, max_per_hour=limit)).decision == expected


@pytest.mark.parametrize(
    ("priority", "passes", "expected"),
    [("CRITICAL", "CRITICAL", "SENT"), ("HIGH", "CRITICAL", "QUIET_HOURS"), ("HIGH", "HIGH", "SENT")],
)
def test_what_is_urgent_passes_quiet_hours(priority: str, passes: str, expected: str) -> None:
    request = replace(ASKED, at=NIGHT, priority=priority)
    decision, trace = decide(request, replace(RULE, quiet_passes=passes))
    assert decision == expected
    assert trace[-1]["until"] == "2026-11-24T12:00:00+00:00"


def test_a_day_without_quiet_hours() -> None:
    assert decide(replace(ASKED, at=NIGHT), replace(RULE, quiet_start=0, quiet_end=0)).decision == "SENT"


def test_says_that_nobody_raised_it_again() -> None:
    assert decide(replace(ASKED, again=True), RULE).trace[0]["again"] is True
