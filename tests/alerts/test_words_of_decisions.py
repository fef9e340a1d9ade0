"""Every decision and every gate in words."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts.choices import Decision, Gate
from alerts.wording import ago, gate_line, held_by, minutes, ordinal, sentence, times

NOT_FORCED = {"gate": "force", "passed": True, "forced": False}


@pytest.mark.parametrize(
    ("decision", "gate", "said"),
    [
        ("DISABLED", {"gate": "enabled"}, "suppressed: the rule of this category is switched off"),
        (
            "SILENCED",
            {"gate": "silence", "active": 2, "by": "dana", "comment": "deploy"},
            "suppressed: silenced by dana: “deploy”",
        ),
        (
            "EXPECTED",
            {"gate": "expected", "because": {"kind": "halt", "scope": "symbol:IBM", "activation": 3}},
            "suppressed: expected, because symbol:IBM is stopped on purpose",
        ),
        (
            "EXPECTED",
            {"gate": "expected", "because": {"kind": "halt", "scope": "global"}},
            "suppressed: expected, because all trading is stopped on purpose",
        ),
        (
            "BELOW_MINIMUM",
            {"gate": "minimum_priority", "priority": "LOW", "minimum": "HIGH"},
            "suppressed: LOW is below what the rule asks for: HIGH or more",
        ),
        (
            "DEDUPED",
            {"gate": "dedupe", "window_minutes": 15, "age_seconds": 251.4},
            "suppressed: the same alert was sent 4 minutes ago; window 15 minutes",
        ),
        (
            "DEDUPED",
            {"gate": "dedupe", "window_minutes": 60, "age_seconds": 90, "flaps": 3},
            "suppressed: the same alert was sent 1 minute ago; window 1 hour; it came back 3 times within a day",
        ),
        (
            "RATE_LIMITED",
            {"gate": "rate_limit", "sent": 20, "limit": 20},
            "suppressed: 20 were sent this hour; limit 20",
        ),
        (
            "QUIET_HOURS",
            {
                "gate": "quiet_hours",
                "local": "23:14",
                "start": 22,
                "end": 7,
                "zone": "America/New_York",
                "passes": "CRITICAL",
            },
            "held: 23:14 is within quiet hours, 22:00 to 07:00 New York",
        ),
    ],
)
def test_what_held_it(decision: str, gate: dict[str, Any], said: str) -> None:
    trace = [NOT_FORCED, {**gate, "passed": False}]
    assert sentence(decision, trace) == said
    assert held_by(trace) == gate["gate"]


def test_sent() -> None:
    assert sentence("SENT", [NOT_FORCED]) == "sent: every gate let it through"
    assert sentence("SENT", [{"gate": "force", "passed": True, "forced": True}]) == (
        "sent: forced, so no other gate was asked"
    )
    assert held_by([NOT_FORCED]) is None


@pytest.mark.parametrize(
    ("gate", "word", "text"),
    [
        ({"gate": "enabled"}, "Rule", "switched on"),
        ({"gate": "silence", "active": 0}, "Silence", "none is active"),
        ({"gate": "silence", "active": 2}, "Silence", "2 active, none matches"),
        (
            {"gate": "minimum_priority", "priority": "HIGH", "minimum": "MEDIUM"},
            "Minimum priority",
            "HIGH, the rule asks for MEDIUM or more",
        ),
        (
            {"gate": "dedupe", "window_minutes": 15, "age_seconds": None},
            "Dedupe",
            "the same alert was not sent before; window 15 minutes",
        ),
        (
            {"gate": "dedupe", "window_minutes": 15, "age_seconds": 1800},
            "Dedupe",
            "the same alert was sent 30 minutes ago, longer than the window of 15 minutes",
        ),
        (
            {"gate": "dedupe", "window_minutes": 15, "raised_from": "MEDIUM"},
            "Dedupe",
            "no duplicate: it was MEDIUM before, and is more urgent now",
        ),
        ({"gate": "rate_limit", "sent": 2, "limit": 20}, "Rate limit", "3rd of 20 this hour"),
        ({"gate": "quiet_hours", "local": "14:13", "start": 7, "end": 7}, "Quiet hours", "the rule has none"),
        (
            {"gate": "quiet_hours", "local": "14:13", "start": 22, "end": 7, "zone": "America/New_York"},
            "Quiet hours",
            "14:13 is outside 22:00 to 07:00 New York",
        ),
        ({"gate": "something new"}, "something new", ""),
        ({}, "", ""),
    ],
)
def test_gates_that_let_it_through(gate: dict[str, Any], word: str, text: str) -> None:
    assert gate_line({**gate, "passed": True}) == (word, text)


@pytest.mark.parametrize("gate", Gate.values)
@pytest.mark.parametrize("passed", [True, False])
def test_every_gate_has_words_even_without_facts(gate: str, passed: bool) -> None:
    word, text = gate_line({"gate": gate, "passed": passed})
    assert word
    assert text


@pytest.mark.parametrize("decision", Decision.values)
def test_every_decision_has_words_even_without_a_trace(decision: str) -> None:
    assert ": " in sentence(decision, [])


def test_times_are_the_desks_and_name_the_day_when_it_is_another(settings: Any) -> None:
    settings.TIME_ZONE = "America/New_York"
    with timezone.override("America/New_York"):
        until = timezone.localtime() + timedelta(days=3)
        text = gate_line({"gate": "silence", "passed": False, "until": until.isoformat()})[1]
    assert text == f"silenced until {until.day} {until:%b %H:%M}"
    assert gate_line({"gate": "silence", "passed": False, "until": "soon"})[1] == "silenced until soon"


def test_numbers() -> None:
    assert [ordinal(number) for number in (1, 2, 3, 4, 11, 12, 13, 21, 1001)] == [
        *("1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "1,001st")
    ]
    assert [minutes(number) for number in (0, 1, 15, 60, 90, 120)] == [
        *("0 minutes", "1 minute", "15 minutes", "1 hour", "1 h 30 min", "2 hours")
    ]
    assert [times(number) for number in (0, 1, 2, 1200)] == ["never", "once", "2 times", "1,200 times"]
    assert [ago(seconds) for seconds in (-3, 1, 59, 251, 7200, 90_000)] == [
        *("0 seconds ago", "1 second ago", "59 seconds ago", "4 minutes ago", "2 hours ago", "1 day ago")
    ]
