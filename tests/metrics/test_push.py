"""`POST /monitoring/metrics/push`: who may, what is refused and with which words, what is answered."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from monitoring.models import Batch, Series
from opsconsole.accounts.models import User
from tests.cast import caller
from tests.metrics.pushing import batch_of, confidence, series_of, trades, value

PATH = "/monitoring/metrics/push"

pytestmark = pytest.mark.django_db


@pytest.fixture
def trading(trader: User) -> Client:
    return caller(trader)


def body_of(*series: Any, **changes: Any) -> dict[str, Any]:
    return batch_of(*series, at=timezone.now()) | changes


def post(client: Client, body: Any) -> tuple[int, dict[str, Any]]:
    answer = client.post(PATH, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


# Refusals


def test_nobody_is_refused(db: None) -> None:
    del db
    answer = Client(REMOTE_ADDR="192.0.2.7").post(PATH, body_of(trades()), content_type="application/json")
    assert answer.status_code == 401


def test_who_may_not_push_is_refused(alice: User) -> None:
    status, answer = post(caller(alice), body_of(trades()))
    assert (status, answer["error"]["message"]) == (403, "Pushing metrics needs the role trading-system.")
    assert not Batch.objects.exists()


def test_other_methods_are_refused(trading: Client) -> None:
    assert trading.get(PATH).status_code == 405


def test_a_body_over_a_mebibyte_is_refused(trading: Client) -> None:
    body = json.dumps(body_of(trades()))
    fitting = body + " " * (1024 * 1024 - len(body))
    assert trading.post(PATH, fitting, content_type="application/json").status_code == 200
    answer = trading.post(PATH, fitting + " ", content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "body: is not valid JSON"),
        ("{", "body: is not valid JSON"),
        ("\xff", "body: is not valid JSON"),
        ("[" * 100_000, "body: is not valid JSON"),
        ("[]", "body: expected object, got array"),
        ("{}", "body: object missing required field batch_id"),
    ],
)
def test_what_is_no_batch_is_refused(trading: Client, text: str, message: str) -> None:
    answer = trading.post(PATH, text.encode("latin-1"), content_type="application/json")
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_id": ""}, "batch_id: must have 1 to 64 characters"),
        ({"batch_id": "x" * 65}, "batch_id: must have 1 to 64 characters"),
        ({"batch_id": "a\x00b"}, "batch_id: must not have control characters"),
        ({"batch_id": 7}, "batch_id: expected str, got int"),
        ({"client": ""}, "client: must have 1 to 100 characters"),
        ({"client": "x" * 101}, "client: must have 1 to 100 characters"),
        ({"client": "\ud800"}, "client: must not have control characters"),
        ({"series": []}, "series: must have at least one series"),
        ({"series": {}}, "series: expected array, got object"),
        ({"sent_at": "2026-11-25T15:04:05"}, "sent_at: expected datetime with a timezone component"),
        ({"sent_at": "yesterday"}, "sent_at: invalid RFC3339 encoded datetime"),
        ({"sent_at": "\ud800"}, "body: a text in it has half of a character (a surrogate)"),
        ({"sent_at": 1_700_000_000}, "sent_at: expected datetime, got int"),
        (
            {"sent_at": "0001-01-01T00:00:00+14:00"},
            "sent_at: is too old: it may be 7 days ago",
        ),
        ({"more": 1}, "body: object contains unknown field more"),
    ],
)
def test_a_batch_with_a_fault_is_refused_and_named(
    trading: Client, changes: dict[str, Any], message: str
) -> None:
    status, answer = post(trading, body_of(trades()) | changes)
    assert (status, answer["error"]["message"]) == (400, message)
    assert answer["error"]["details"] == dict([message.split(": ", 1)])


def test_a_batch_of_the_future_is_refused(trading: Client) -> None:
    for moment in ((datetime.now(UTC) + timedelta(days=1)).isoformat(), "9999-12-31T23:59:59-14:00"):
        status, answer = post(trading, body_of(trades(), sent_at=moment))
        assert status == 400
        assert answer["error"]["message"].startswith("sent_at: is in the future")


def test_more_than_ten_thousand_series_are_refused(trading: Client) -> None:
    status, answer = post(trading, body_of(*[value(1)] * 10_001))
    assert (status, answer["error"]["message"]) == (400, "series: may have 10000 series, not 10001")


LABELS = "trades_total has the labels ticker, side, status"
FAULTS: list[tuple[dict[str, Any] | Any, str]] = [
    (trades(-0.5), "inc: must not be negative; a counter only grows"),
    (trades(float("nan")), "inc: must be a number, not NaN"),
    (trades(float("inf")), "inc: must be finite"),
    (trades(1e19), "inc: must be between -1e+18 and 1e+18"),
    (trades() | {"inc": "3"}, "inc: expected float, got str"),
    (trades() | {"inc": "\ud800"}, "a text in it has half of a character (a surrogate)"),
    (trades() | {"\ud800": 1}, "a text in it has half of a character (a surrogate)"),
    (trades() | {"inc": 10**400}, "inc: number out of range"),
    (trades() | {"inc": True}, "inc: expected float, got bool"),
    (value(float("-inf")), "set: must be finite"),
    (value(float("nan")), "set: must be a number, not NaN"),
    (trades() | {"name": "trade_total"}, "name: there is no metric 'trade_total'"),
    (trades() | {"name": 3}, "name: expected str, got int"),
    ({"inc": 3}, "object missing required field name"),
    ("trades_total", "expected object, got str"),
    (
        {"name": "host_cpu_usage_pct", "set": 3},
        "name: the console itself keeps host_cpu_usage_pct; it cannot be pushed",
    ),
    ({"name": "portfolio_value_usd"}, "set: missing; portfolio_value_usd is a gauge"),
    ({"name": "portfolio_value_usd", "inc": 3}, "inc: portfolio_value_usd is a gauge and takes set"),
    (trades() | {"set": 3}, "inc, set: only one may be given; trades_total takes inc"),
    (trades() | {"unit": "x"}, "object contains unknown field unit"),
    (trades() | {"labels": {"ticker": "AAPL"}}, f"labels: side, status missing; {LABELS}"),
    ({"name": "trades_total", "inc": 1}, f"labels: ticker, side, status missing; {LABELS}"),
    (trades(client="AAPL"), f"labels: client not known; {LABELS}"),
    (value(3) | {"labels": {"ticker": "AAPL"}}, "labels: ticker not known; portfolio_value_usd has none"),
    (trades(ticker=""), "labels.ticker: must not be empty"),
    (trades(ticker="x" * 101), "labels.ticker: may have 100 characters, not 101"),
    (trades(ticker="A\nB"), "labels.ticker: must not have control characters"),
    (trades(ticker="A\x00"), "labels.ticker: must not have control characters"),
    (trades(ticker="\udfff"), "labels.ticker: must not have control characters"),
    (trades(side="HOLD"), "labels.side: must be one of BUY, SELL, not 'HOLD'"),
    (trades(ticker=3), "labels[...]: expected str, got int"),  # type: ignore[arg-type]
    (
        confidence([1] * 10, 3),
        "histogram.buckets: signal_confidence has 11 (the last above every bound), not 10",
    ),
    (confidence([2] + [0] * 9 + [-1], 3), "histogram: counts must be from 0 to 1000000000000"),
    (confidence([0] * 11, float("nan")), "histogram.sum: must be a number, not NaN"),
]


@pytest.mark.parametrize(("series", "error"), FAULTS)
def test_a_bad_series_is_named_and_the_others_are_kept(trading: Client, series: Any, error: str) -> None:
    name = series.get("name") if isinstance(series, dict) else None
    fault = {"index": 1, "name": name if isinstance(name, str) else "", "error": error}
    status, answer = post(trading, body_of(trades(2), series, value(5)))
    assert (status, answer) == (200, {"accepted": 2, "rejected": [fault]})
    assert (series_of("trades_total").value, series_of("portfolio_value_usd").value) == (2, 5)
    assert Series.objects.count() == 2
    status, answer = post(trading, body_of(series))
    assert (status, answer["error"]["message"]) == (400, "Nothing in this batch is usable.")
    assert answer["error"]["details"] == {"rejected": [fault | {"index": 0}]}


def test_counts_that_do_not_sum_up_are_refused(trading: Client) -> None:
    series = confidence([1] * 11, 3)
    series["histogram"]["count"] = 12
    _, answer = post(trading, body_of(trades(), series))
    assert [fault["error"] for fault in answer["rejected"]] == [
        "histogram.buckets: sum to 11, not to the count, 12"
    ]


def test_what_an_answer_repeats_is_short_and_printable(trading: Client) -> None:
    _, answer = post(trading, body_of(trades(), {"name": "\x1b[31m" + "x" * 5000, "inc": 1}))
    (fault,) = answer["rejected"]
    assert fault["name"] == "�[31m" + "x" * 95
    assert len(fault["error"]) < 200


# State


def test_a_batch_is_counted(trading: Client) -> None:
    status, answer = post(trading, body_of(trades(3), value(7), confidence([0] * 10 + [2], 2.5)))
    assert (status, answer) == (200, {"accepted": 3, "rejected": []})
    assert (series_of("trades_total").value, series_of("signal_confidence").count) == (3, 2)
    assert (Batch.objects.get().accepted, Batch.objects.get().client) == (3, "AAPL")


def test_the_same_batch_again_gets_the_same_answer(trading: Client) -> None:
    body = body_of(trades(3), trades(-3))
    assert post(trading, body) == post(trading, body)
    assert series_of("trades_total").value == 3
