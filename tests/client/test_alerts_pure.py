"""What an alert says and what it is called, the queue's bounds, and the spool's file, without a thread or a network."""

import json
from typing import Any

import pytest
from opsclient import ConfigurationError
from opsclient.alerts import kinds
from opsclient.alerts.alert import Alert, make, read
from opsclient.alerts.bots import redacted, ways
from opsclient.alerts.choices import AlertDecision
from opsclient.alerts.direct import LONGEST_TEXT, text_of
from opsclient.alerts.entry import PARCEL, PARCEL_BYTES, Entry, Queue
from opsclient.alerts.lines import parse, state
from opsclient.alerts.result import decided
from opsclient.smart_alerts import AlertCategory, AlertRule


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"category": "WEATHER"}, "category must be one of SYSTEM_ERROR, TRADING_SIGNAL"),
        ({"category": None}, "category must be one of"),
        ({"category": "PERFORMANCE", "priority": "URGENT"}, "priority must be one of LOW, MEDIUM"),
    ],
)
def test_an_unknown_word_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        make(**arguments)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"category": "WEATHER"}, "category"),
        ({"min_priority": "URGENT"}, "min_priority"),
        ({"max_per_hour": -1}, "max_per_hour must be a whole number from 0 to 100000"),
        ({"max_per_hour": True}, "max_per_hour"),
        ({"dedupe_window_minutes": 10_081}, "dedupe_window_minutes must be a whole number from 0 to 10080"),
        ({"dedupe_window_minutes": 1.5}, "dedupe_window_minutes"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_by_name(arguments: dict[str, Any], named: str) -> None:
    with pytest.raises(ConfigurationError, match=named):
        AlertRule(**{"category": AlertCategory.PERFORMANCE, **arguments})


def test_a_rule_changes_only_what_it_names() -> None:
    rule = AlertRule("trading_signal", max_per_hour=5)  # type: ignore[arg-type]  # a text will do
    assert (rule.category, rule.changes()) == (AlertCategory.TRADING_SIGNAL, {"max_per_hour": 5})


def test_texts_are_cleaned_and_cut_and_never_refused() -> None:
    class Unspeakable:
        def __str__(self) -> str:
            raise RuntimeError

    alert = make(
        AlertCategory.DATA_QUALITY,
        "first\r\nsecond\x00\x1b[31m\u202egnol" + "x" * 9000,
        labels={"1 bad-name": "a\nb", "none": None, "": "x", **{f"l{n}": n for n in range(100)}},
        details={"\u202ekey": float("nan"), "deep": {"odd": Unspeakable(), "lone": "\ud800"}},
        dedupe_key="k" * 900,
    )
    assert alert.title == "first"
    assert alert.message.startswith("first\nsecond[31mgnolxxx")
    assert (len(alert.message), alert.message[-1]) == (4000, "…")
    assert alert.labels["_1_bad_name"] == "a"
    assert "none" not in alert.labels
    assert len(alert.labels) <= 32
    assert alert.details == {"key": "nan", "deep": {"odd": "<Unspeakable>", "lone": "?"}}
    assert len(alert.dedupe_key or "") <= 200
    json.dumps(alert.body()).encode()
    assert read(json.loads(json.dumps(alert.body()))) == alert


def test_details_that_are_too_large_are_replaced_by_their_size() -> None:
    details = make(AlertCategory.PERFORMANCE, "slow", details={"x": ["long text " * 50] * 500}).details
    assert list(details) == ["left_out_bytes"]
    assert make(AlertCategory.PERFORMANCE, "slow", details=[1]).details == {"details": [1]}  # type: ignore[arg-type]


def test_an_alert_without_words_is_named_after_its_category() -> None:
    assert make(AlertCategory.DATA_QUALITY, " \n ").title == "Data quality"


def made(number: float) -> list[Alert]:
    """One of each kind, with this number wherever a number may stand."""
    details = {"n": number}
    return [
        kinds.trading_signal("AAPL", "BUY", number, details),
        kinds.risk_warning("TSLA", "volatility", number, f"Volatility is {number}", details),
        kinds.portfolio_update(number, number, "main", "", details),
        kinds.data_quality("yahoo", "stale", f"{number} s old", details),
        kinds.cost("claude", number, number, details),
        kinds.performance("gateway", "p95", number, number, "ms", details),
        kinds.loss("AAPL", {"LOW": int(number * 100)}),
    ]


def test_what_changes_from_one_time_to_the_next_is_no_part_of_an_alerts_name() -> None:
    assert [alert.identity for alert in made(0.25)] == [alert.identity for alert in made(0.5)]
    assert len({alert.identity for alert in made(0.25)}) == 7
    assert [alert.message for alert in made(0.25)] != [alert.message for alert in made(0.5)]


def test_what_the_kinds_say() -> None:
    said = [(alert.title, alert.message, alert.labels, alert.details) for alert in made(0.25)]
    assert said[:3] == [
        (
            "BUY AAPL",
            "Confidence 25%",
            {"ticker": "AAPL", "signal": "BUY"},
            {"confidence": 0.25, "n": 0.25},
        ),
        (
            "Risk: volatility of TSLA",
            "Volatility is 0.25",
            {"ticker": "TSLA", "risk_type": "volatility"},
            {"risk_score": 0.25, "n": 0.25},
        ),
        (
            "Portfolio main",
            "Today's P&L $0.25, total value $0.25",
            {"portfolio": "main"},
            {"daily_pnl": 0.25, "total_value": 0.25, "n": 0.25},
        ),
    ]
    assert kinds.portfolio_update(-3118.4, None, "", "", None).message == "Today's P&L −$3,118.40"
    assert kinds.cost("claude", None, 10, None).message == "The cost is not known, the threshold is $10.00"


def test_a_critical_error_is_forced_and_critical_whatever_it_is_given() -> None:
    alert = kinds.critical_error(ZeroDivisionError("division by zero"), {"retry_count": 3})
    assert alert.title == "ZeroDivisionError: division by zero"
    assert (alert.category, alert.priority, alert.force) == ("SYSTEM_ERROR", "CRITICAL", True)
    assert kinds.critical_error(None, None).title == "None"


def entry(priority: str = "LOW", title: str = "t", **more: Any) -> Entry:
    return Entry(make(AlertCategory.PERFORMANCE, "m", title=title, priority=priority), **more)


def titles(entries: list[Entry]) -> list[str]:
    return [one.alert.title for one in entries]


def test_a_full_queue_gives_up_the_oldest_of_the_least_urgent() -> None:
    queue = Queue(most=3, most_bytes=10**6)
    for title, priority in (("a", "CRITICAL"), ("b", "LOW"), ("c", "MEDIUM")):
        assert queue.add(entry(priority, title)) == []
    assert titles(queue.add(entry("LOW", "d"))) == ["b"]
    assert titles(queue.add(entry("CRITICAL", "e"))) == ["d"]
    assert titles(queue.add(entry("LOW", "f"))) == ["f"]  # everything else is more urgent
    assert titles(queue.entries()) == ["a", "c", "e"]
    assert queue.losses() == {"LOW": 3}
    assert (queue.take_losses(), queue.losses()) == ({"LOW": 3}, {})


def test_what_an_earlier_process_left_goes_first_and_once() -> None:
    queue = Queue(most=4, most_bytes=10**6)
    for title in ("new", "newer"):
        queue.add(entry(title=title))
    left = [entry(title="old"), entry(title="older"), entry(title="oldest", priority="HIGH")]
    assert titles(queue.put_first(reversed(left))) == ["older"]
    queue.put_first(left[2:])
    assert titles(queue.entries()) == ["oldest", "old", "new", "newer"]
    assert queue.bytes == sum(one.size for one in queue.entries())


def test_a_queue_is_bounded_by_bytes_too() -> None:
    queue = Queue(most=10**6, most_bytes=1000)
    for number in range(50):
        queue.add(entry(title=f"number {number}"))
        assert queue.bytes <= 1000
    assert 0 < len(queue) < 10
    assert queue.entries()[-1].alert.title == "number 49"


def test_what_has_been_in_a_request_stays_in_it_and_is_not_given_up() -> None:
    queue = Queue(most=3, most_bytes=10**6)
    for title in "abc":
        queue.add(entry(title=title))
    first = queue.parcel()
    assert titles(first) == ["a", "b", "c"]
    assert titles(queue.add(entry("CRITICAL", "d"))) == ["d"]
    assert queue.parcel() == first
    assert len({one.parcel for one in first}) == 1


def test_an_alert_alone_travels_under_its_own_key() -> None:
    queue = Queue(most=3, most_bytes=10**6)
    alone = entry()
    queue.add(alone)
    assert [one.parcel for one in queue.parcel()] == [alone.key]
    queue.add(entry(title="later"))
    assert queue.parcel() == [alone]


def test_a_request_is_bounded_by_number_and_bytes() -> None:
    queue = Queue(most=10**6, most_bytes=10**9)
    for _ in range(PARCEL + 1):
        queue.add(entry())
    assert len(queue.parcel()) == PARCEL
    queue = Queue(most=10**6, most_bytes=10**9)
    for _ in range(3):
        queue.add(entry(size=PARCEL_BYTES // 2))
    assert len(queue.parcel()) == 2


def lines(records: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def test_the_file_says_what_waits() -> None:
    first, second = entry(title="first", sent_directly=True), entry(title="second", parcel="p")
    left = parse(lines(state([first, second], {"LOW": 2})))
    assert [(one.key, one.alert, one.parcel, one.sent_directly) for one in left.entries] == [
        (first.key, first.alert, "", True),
        (second.key, second.alert, "p", False),
    ]
    assert left.lost == {"LOW": 2}


def test_lines_that_a_crash_or_a_stranger_left_are_passed_over() -> None:
    first, second = entry(title="first"), entry(title="second")
    whole = lines(state([first, second], {}))
    assert [one.key for one in parse(whole[:-20]).entries] == [first.key]
    strange = (
        b'7\n[]\n"add"\n\xff\xfe\n{"add": "k"}\n{"add": "k", "alert": {"category": "WEATHER"}}\n{"lost": 3}\n'
    )
    assert [one.key for one in parse(strange + whole).entries] == [first.key, second.key]
    assert parse(whole + lines([{"over": [first.key]}])).entries[0].key == second.key


def test_an_answer_that_is_not_known_counts_as_not_sent() -> None:
    alert = make(AlertCategory.PERFORMANCE, "m")
    odd = decided(
        alert, {"id": "7", "decision": "POSTPONED", "trace": 3, "reason": None}, sent_directly=False
    )
    assert (odd.decision, odd.alert_id, odd.trace, bool(odd)) == (AlertDecision.UNSENT, None, (), False)
    assert "POSTPONED" in odd.reason
    held = decided(alert, {"id": 7, "decision": "DEDUPED", "reason": "held"}, sent_directly=False)
    assert (held.decision, held.reason, held.alert_id, bool(held)) == (
        AlertDecision.DEDUPED,
        "held",
        7,
        False,
    )


def test_the_direct_text_is_bounded_and_says_who_sent_it_and_why() -> None:
    alert = kinds.critical_error("x" * 5000, {"venue": "sim", "code": 7})
    text = text_of(alert, client="AAPL", why="no answer")
    assert len(text) <= LONGEST_TEXT
    assert text.startswith("CRITICAL · SYSTEM_ERROR\n")
    assert text.endswith("sent by AAPL itself: no answer")
    assert "venue: sim\ncode: 7" in text_of(kinds.critical_error("e", alert.details), client="A", why="w")


def test_no_secret_of_a_library_is_told() -> None:
    secrets = [
        "https://api.telegram.org/bot123456:AA-bb_cc/sendMessage timed out",
        "token 123456789:AAbbccddeeffgghhiijjkkll",
        "invalid xoxb-123-abc",
        "https://hooks.slack.com/services/T0/B0/secret failed",
    ]
    told = " ".join(redacted(RuntimeError(text)) for text in secrets)
    for secret in ("AA-bb_cc", "AAbbccdd", "xoxb-123", "B0/secret"):
        assert secret not in told
    assert "timed out" in told


def test_a_bot_that_cannot_be_used_says_why() -> None:
    class Bot:
        def send_message(self, chat_id: int, text: str) -> None:
            raise AssertionError

    found = {way.name: way.problem for way in ways(Bot(), object(), None, None)}
    assert "give telegram_chat_id, or OPSCLIENT_TELEGRAM_CHAT_ID" in found["telegram_bot"]
    assert found["slack_client"] == "it has no chat_postMessage(channel, text)"
    assert [way.problem for way in ways(Bot(), None, -100, None)] == [""]
