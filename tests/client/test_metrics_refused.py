"""What the console does not take is said once, and never asked for ever."""

from collections.abc import Callable
from typing import Any

import pytest
from opsclient.metrics import MetricsCollector
from opsclient.metrics.batch import build
from opsclient.metrics.table import TRADES

from tests.client.console_server import ConsoleServer, Handler, eventually
from tests.client.metering import Collect, record_batches, sent_ids


def answer_with(status: int, message: str) -> Callable[[Handler, str, dict[str, Any]], bool]:
    body = {"error": {"code": "code", "message": message, "details": {"client": "no such client"}}}
    return lambda handler, _path, _data: handler.answer(status, body)


def test_a_series_that_is_rejected_is_said_once_and_the_others_count(
    collector: MetricsCollector, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.metrics.bad = {"risk_score"}
    for _ in range(3):
        collector.record_risk("var", 1)
        record_batches(collector, 1)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 3
    assert caplog.text.count("the console does not take risk_score: no such metric") == 1
    status = collector.status()
    assert (status["rejected_series"], status["last_error"]) == (3, "risk_score: no such metric")


def test_a_batch_that_cannot_be_used_is_given_up_and_the_next_goes_on(
    collector: MetricsCollector, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.post_answer = answer_with(400, "bad")
    record_batches(collector, 1)
    record_batches(collector, 1)
    assert collector.flush()
    assert len(server.posts) == 2
    assert caplog.text.count("the console can use nothing of it (400: bad; client: no such client)") == 1
    server.post_answer = None
    record_batches(collector, 1)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1
    assert collector.status()["given_up_batches"] == 2


def test_a_batch_from_a_clock_that_is_ahead_waits_until_the_console_takes_it(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    details = {"sent_at": "is in the future"}
    body = {"error": {"code": "invalid", "message": "no", "details": details}}
    server.post_answer = lambda handler, *_: handler.answer(400, body)
    record_batches(collector, 1)
    eventually(lambda: collector.status()["away"], "it says so")
    assert "this machine's clock is not the console's" in collector.status()["last_error"]
    server.post_answer = None
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1
    assert sent_ids(server)[0] == sent_ids(server)[1]


def test_a_batch_that_is_too_old_is_given_up(collector: MetricsCollector, server: ConsoleServer) -> None:
    body = {"error": {"code": "invalid", "message": "no", "details": {"sent_at": "is too old"}}}
    server.post_answer = lambda handler, *_: handler.answer(400, body)
    collector._desk.tally.pending.inc(collector._book.get(TRADES, "AAPL", "BUY", "filled"), 1)
    _, pending = collector._desk.tally.take()
    old = build(pending, client="desk", sent_at="2020-01-01T00:00:00.000Z", generation=0)
    spool = collector._desk.spool
    assert spool is not None
    spool.add(old, at_once=True)
    assert collector.flush()
    assert collector.status()["given_up_batches"] == 1


def test_a_batch_that_is_too_large_is_sent_in_parts(
    collector: MetricsCollector, server: ConsoleServer, caplog: pytest.LogCaptureFixture
) -> None:
    def small_only(handler: Handler, _path: str, data: dict[str, Any]) -> bool:
        if len(data["series"]) > 1 or data["series"][0]["labels"]["ticker"] == "T4":
            return handler.answer(413, {"error": {"code": "c", "message": "too large", "details": {}}})
        return False

    server.post_answer = small_only
    for number in range(5):
        collector.record_volatility_breach(f"T{number}")
    assert collector.flush()
    assert server.metrics.total("volatility_breach_total") == 4
    assert caplog.text.count("one series alone is too large") == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_console_that_refuses_is_asked_rarely_and_not_for_ever(
    collector: MetricsCollector,
    server: ConsoleServer,
    status: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.post_answer = answer_with(status, "not you")
    record_batches(collector, 3)
    eventually(lambda: collector.status()["away"], "it says so")
    collector._desk.sender.hurry()  # type: ignore[union-attr]
    eventually(lambda: len(server.posts) == 2, "it asks again")
    assert caplog.text.count("not you") == 1
    assert "sesame" not in caplog.text
    assert collector.status()["waiting_batches"] == 3
    monkeypatch.setattr("opsclient.metrics.sender.GIVE_UP_S", 0.0)
    collector._desk.sender.hurry()  # type: ignore[union-attr]
    eventually(lambda: collector.status()["given_up_batches"] == 3, "it is given up")
    assert collector.flush()
    server.post_answer = None
    record_batches(collector, 1)
    collector._desk.sender.hurry()  # type: ignore[union-attr]
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1


def test_a_batch_over_which_the_console_breaks_does_not_hold_up_the_others_for_ever(
    collect: Collect, server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.metrics.sender.MOST_FAILURES", 3)
    monkeypatch.setattr("opsclient.metrics.sender.BREAKING_S", 0.0)
    body = {"error": {"code": "code", "message": "bug", "details": {}}}
    server.post_answer = lambda handler, _path, data: bool(
        data["series"][0]["labels"].get("ticker") == "POISON" and handler.answer(500, body)
    )
    collector = collect()
    collector.record_volatility_breach("POISON")
    record_batches(collector, 1)
    assert collector.flush()
    assert collector.status()["given_up_batches"] == 1
    record_batches(collector, 1)
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1


def test_an_answer_of_something_else_is_not_taken_for_the_consoles(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    server.post_answer = lambda handler, *_: handler.answer(200, {"hello": "world"})
    record_batches(collector, 1)
    eventually(lambda: collector.status()["away"], "it says so")
    server.post_answer = None
    assert collector.flush()
    assert server.metrics.total("trades_total") == 1
