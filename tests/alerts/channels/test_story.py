"""What a message says."""

from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.channels.message import Message
from alerts.channels.story import fit, is_silent, plain, summary, tell
from alerts.channels.text import units
from alerts.choices import DeliveryKind, Priority
from tests.alerts.channels.messages import NOW, RAISED, message, resolved

SAID = [
    (message(), ["Raised 14:13 UTC · RISK_WARNING"]),
    (message(count=12, last_at=NOW), ["12 times, since 14:13 UTC, last 14:31 · RISK_WARNING"]),
    (message(kind=DeliveryKind.REPEAT, count=3), ["3rd time, since 14:13 UTC · RISK_WARNING"]),
    (message(first_at=RAISED - timedelta(days=2)), ["Raised 21 Nov 14:13 UTC · RISK_WARNING"]),
    (message(category=""), ["Raised 14:13 UTC"]),
    (message(category="", due_at=NOW + timedelta(minutes=9)), ["Raised 14:13 UTC", "Someone must own it by 14:40"]),
    (message(category="", due_at=NOW), ["Raised 14:13 UTC", "Someone must own it now"]),
    (message(category="", due_at=NOW, escalation=2), ["Raised 14:13 UTC", "Nobody owns it. Escalated for the 2nd time"]),
    (message(category="", due_at=NOW, owner="dana", acknowledged=True), ["Raised 14:13 UTC", "Owned by dana"]),
    (
        message(category="", due_at=NOW, owner="dana"),
        ["Raised 14:13 UTC", "Someone must own it now", "Assigned to dana"],
    ),
    (resolved(category="", owner="dana"), ["Resolved 14:40 UTC by dana, after 27 minutes"]),
    (
        resolved(category="", count=4, resolved_by="", resolved_at=RAISED + timedelta(seconds=40)),
        ["Resolved 14:13 UTC, after 40 seconds, 4 times"],
    ),
    (
        message(category="", maybe_duplicate=True),
        ["Raised 14:13 UTC", "You may have this already: an earlier try was cut off."],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("told", "status"), SAID)
def test_says_where_it_stands(told: Message, status: list[str]) -> None:
    assert list(tell(told).status) == status


@pytest.mark.parametrize(
    ("changed", "headline"),
    [
        ({}, "🛑 CRITICAL · Drawdown above 5%"),
        ({"priority": Priority.HIGH}, "🔺 HIGH · Drawdown above 5%"),
        ({"priority": Priority.MEDIUM}, "🔶 MEDIUM · Drawdown above 5%"),
        ({"priority": Priority.LOW}, "⚪ LOW · Drawdown above 5%"),
        ({"escalation": 1}, "🛑 CRITICAL, escalated · Drawdown above 5%"),
        ({"kind": DeliveryKind.TEST, "title": "Test"}, "🔔 TEST · Test"),
        ({"kind": DeliveryKind.DIGEST, "title": "7 alerts"}, "🗂 DIGEST · 7 alerts"),
        ({"title": "a\nb\u202e"}, "🛑 CRITICAL · a b"),
    ],
)
def test_the_headline_has_a_mark_and_a_word(changed: dict[str, object], headline: str) -> None:
    assert tell(message(**changed)).headline == headline
    assert summary(message(**changed)) == headline


def test_times_are_the_desks(settings: object) -> None:
    settings.TIME_ZONE = "America/New_York"  # type: ignore[attr-defined]  # pytest-django's settings
    assert tell(message()).status == ("Raised 09:13 EST · RISK_WARNING",)


def test_calm_ones_make_no_sound() -> None:
    assert is_silent(resolved())
    assert is_silent(message(priority=Priority.LOW))
    assert not is_silent(message())
    assert not is_silent(message(priority=Priority.LOW, kind=DeliveryKind.TEST))


@pytest.mark.parametrize("limit", [700, 1000, 4096])
def test_fits_whatever_it_is_given(limit: int) -> None:
    long = message(
        title="t" * 200,
        text="👩" * 9_000,
        facts=tuple((f"name {number}", "v" * 900) for number in range(20)),
        lines=("l" * 400,) * 40,
        alert_url="https://ops.example/alerts/12",
    )
    story = fit(tell(long), limit)
    text = plain(story)
    assert units(text) <= limit
    assert story.left_out == 60 - len(story.facts) - len(story.lines)
    assert f"… and {story.left_out:,} more" in text
    # The text has its half.
    assert units(story.text) > (limit - 500) // 3


def test_what_fits_is_left_alone() -> None:
    story = tell(message())
    assert fit(story, 4096) == story


def test_plain_text_has_its_parts_apart() -> None:
    story = replace(
        tell(message()), lines=("14:02 HIGH x",), link="https://ops.example/alerts/12", left_out=2
    )
    assert plain(story) == (
        "🛑 CRITICAL · Drawdown above 5%\nRaised 14:13 UTC · RISK_WARNING\n\nPortfolio drawdown is −5.2%, limit 5%.\n\n"
        "symbol: IBM\ndrawdown: −5.2%\n\n14:02 HIGH x\n\n… and 2 more\n\nhttps://ops.example/alerts/12"
    )


def test_a_digest_says_how_many_it_leaves_out() -> None:
    digest = message(kind=DeliveryKind.DIGEST, title="40 alerts", first_at=None, count=40, lines=("a",) * 30)
    assert plain(fit(tell(digest), 4096)).endswith("a\n\n… and 10 more")
