"""What may be recorded, and what the console gets of it."""

import math
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from opsclient import ConfigurationError
from opsclient.metrics import MetricsCollector

from tests.client.console_server import ConsoleServer, eventually
from tests.client.ledger import key

Collect = Callable[..., MetricsCollector]


# Refusals


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (
            lambda m: m.inc("orders_total"),
            "name must be a counter that the console knows, not 'orders_total'",
        ),
        (lambda m: m.inc(None), "name must be a counter"),
        (lambda m: m.inc("risk_score", risk_type="var", ticker="all"), "risk_score is a gauge: use set"),
        (lambda m: m.set("trades_total", 1), "trades_total is a counter: use inc"),
        (lambda m: m.set("trade_slippage_bps", 1), "trade_slippage_bps is a histogram: use observe"),
        (lambda m: m.set("host_cpu_usage_pct", 1), "known to the console itself"),
        (lambda m: m.inc("volatility_breach_total"), r"must be ticker \(missing: ticker\)"),
        (lambda m: m.set("portfolio_value_usd", 1, x="1"), r"must be none \(unknown: x\)"),
        (
            lambda m: m.inc("volatility_breach_total", tick="AAPL"),
            r"missing: ticker; unknown: tick",
        ),
        (lambda m: m.inc("volatility_breach_total", math.nan, ticker="A"), "value must be a finite number"),
        (lambda m: m.inc("volatility_breach_total", math.inf, ticker="A"), "value must be a finite number"),
        (lambda m: m.inc("volatility_breach_total", 10**400, ticker="A"), "at most 1e15"),
        (lambda m: m.inc("volatility_breach_total", -1, ticker="A"), "value must be 0 or more, not -1"),
        (lambda m: m.inc("volatility_breach_total", "1", ticker="A"), "value must be a number, not '1'"),
        (lambda m: m.inc("volatility_breach_total", True, ticker="A"), "value must be a number, not True"),
        (lambda m: m.inc("volatility_breach_total", None, ticker="A"), "value must be a finite number"),
        (lambda m: m.record_volatility_breach(""), "ticker must have 1 to 100 printable characters"),
        (lambda m: m.record_volatility_breach("A" * 101), "ticker must have 1 to 100"),
        (lambda m: m.record_volatility_breach("A\n"), "ticker must have 1 to 100 printable"),
        (lambda m: m.record_volatility_breach("\ud800"), "ticker must have 1 to 100 printable"),
        (
            lambda m: m.record_volatility_breach(["A"]),
            "ticker must be a text of 1 to 100 characters, not list",
        ),
        (lambda m: m.record_volatility_breach(True), "ticker must be a text"),
        (lambda m: m.record_trade("A", "HOLD"), "side must be BUY or SELL, not 'HOLD'"),
        (lambda m: m.record_trade(["A"], "BUY"), "ticker must be a text"),
        (lambda m: m.record_trade("A", "BUY", slippage_bps=math.nan), "slippage_bps must be a finite number"),
        (lambda m: m.record_trade("A", "BUY", duration_seconds=-0.1), "duration_seconds must be 0 or more"),
        (lambda m: m.record_signal("A", "BUY", 1.01), "confidence must be from 0 to 1, not 1.01"),
        (lambda m: m.record_ai_call("o", "m", cost_usd=-1), "cost_usd must be 0 or more"),
        (lambda m: m.record_ai_call("o", "m", output_tokens=-1), "output_tokens must be 0 or more"),
        (lambda m: m.record_api_request("GET", "/", 200, math.nan), "duration_seconds must be a finite"),
        (lambda m: m.time_api_request("GET", ""), "endpoint must have 1 to 100"),
        (lambda m: m.update_portfolio(value_usd=math.nan), "value_usd must be a finite number"),
        (
            lambda m: m.update_portfolio(value_usd=1, concentration_pct={"A": math.nan}),
            r"concentration_pct\['A'\] must be a finite number",
        ),
        (lambda m: m.update_portfolio(concentration_pct=[1]), "concentration_pct must be a mapping"),
        (lambda m: m.record_risk("var", "high"), "score must be a number"),
        (lambda m: m.record_cache("redis", -1, 0), "hits must be 0 or more"),
        (lambda m: m.record_cache("redis", 0, -1), "misses must be 0 or more"),
    ],
)
def test_wrong_arguments_are_refused_at_once_and_nothing_of_them_is_sent(
    collector: MetricsCollector, server: ConsoleServer, record: Callable[[Any], None], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        record(collector)
    assert collector.flush()
    assert server.posts == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"console_url": "ftp://x"}, "console_url must begin with http"),
        ({"console_url": "http://console.example", "token": "two words"}, "token must be one word"),
        ({"token": "x"}, "console_url is missing, and OPSCLIENT_URL is not set"),
        ({"client": " x"}, "client must have 1 to 64 printable"),
        ({"spool_batches": 1}, "spool_batches must be a whole number, 2 or more"),
        ({"spool_bytes": "1"}, "spool_bytes must be a whole number"),
        ({"spool_dir": "/dev/null"}, "spool_dir must be a folder"),
    ],
)
def test_wrong_settings_are_refused_by_name(arguments: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        MetricsCollector(**arguments)


# What arrives


def test_everything_that_is_recorded_arrives_under_its_name(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    class Side(str, Enum):  # noqa: UP042  # whose str() is not its value
        SELL = "SELL"

    collector.record_trade("AAPL", "buy", slippage_bps=2, duration_seconds=0.05)
    collector.record_trade("AAPL", "BUY", slippage_bps=2.1)
    collector.record_trade("AAPL", Side.SELL, "rejected")
    collector.record_trade("AAPL", Side.SELL, "rejected", slippage_bps=1e6)
    collector.record_signal("AAPL", "BUY", 0.95)
    collector.record_signal("AAPL", "BUY")
    collector.record_ai_call("anthropic", "m", cost_usd=0.25, input_tokens=100, output_tokens=7)
    collector.record_ai_call("anthropic", "m", "error")
    collector.record_analysis("anthropic", "m")
    collector.record_api_request("GET", "/orders", 200, 0.3)
    collector.record_risk("var", 40)
    collector.record_risk("var", 60, "AAPL")
    collector.record_cache("redis", 2, 1)
    collector.record_cache("redis", 1, 0)
    collector.record_cache("disk", 0, 0)
    collector.record_cache_savings("redis", Decimal("0.5"))  # type: ignore[arg-type]  # taken all the same
    collector.record_volatility_breach("AAPL")
    collector.set("circuit_breaker_state", 2, name="venue")
    collector.set("circuit_breaker_state", 1, name="venue")
    collector.inc("volatility_breach_total", ticker="AAPL")
    collector.observe("signal_confidence", 0.05, signal="SELL")
    assert collector.flush()

    ledger = server.metrics
    assert ledger.counters == {
        key("trades_total", ticker="AAPL", side="BUY", status="filled"): 2,
        key("trades_total", ticker="AAPL", side="SELL", status="rejected"): 2,
        key("signals_generated_total", ticker="AAPL", signal="BUY"): 2,
        key("ai_api_calls_total", provider="anthropic", model="m", status="success"): 1,
        key("ai_api_calls_total", provider="anthropic", model="m", status="error"): 1,
        key("ai_cost_usd_total", provider="anthropic", model="m"): 0.25,
        key("ai_tokens_used_total", provider="anthropic", model="m", kind="input"): 100,
        key("ai_tokens_used_total", provider="anthropic", model="m", kind="output"): 7,
        key("ai_analyses_total", provider="anthropic", model="m"): 1,
        key("api_requests_total", method="GET", endpoint="/orders", status="200"): 1,
        key("cache_savings_usd_total", cache_type="redis"): 0.5,
        key("volatility_breach_total", ticker="AAPL"): 2,
    }
    assert ledger.gauges == {
        key("risk_score", risk_type="var", ticker="all"): 40,
        key("risk_score", risk_type="var", ticker="AAPL"): 60,
        key("cache_hit_rate", cache_type="redis"): 75,
        key("circuit_breaker_state", name="venue"): 1,
    }
    slippage = ledger.histograms[key("trade_slippage_bps", ticker="AAPL")]
    assert (slippage["count"], slippage["sum"]) == (3, 1_000_004.1)
    # A bound belongs to its bucket: 2 is in that up to 2, 2.1 in the next, a million above all.
    assert [index for index, count in enumerate(slippage["buckets"]) if count] == [8, 9, 15]
    assert {name for name, _ in ledger.histograms} == {
        "trade_slippage_bps",
        "trade_execution_duration_seconds",
        "signal_confidence",
        "api_request_duration_seconds",
    }


def test_values_of_one_second_travel_together_with_the_name_the_time_and_a_fresh_id(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    collector.record_volatility_breach("AAPL")
    collector.record_volatility_breach("IBM")
    collector.record_volatility_breach("AAPL")
    eventually(lambda: server.metrics.batches, "it is sent without being asked for")
    collector.record_volatility_breach("AAPL")
    assert collector.flush()
    first, second = server.metrics.batches
    assert [row["inc"] for row in first["series"]] == [2, 1]
    assert [row["inc"] for row in second["series"]] == [1]
    assert first["client"] == "desk"
    assert first["sent_at"].endswith("Z")
    assert first["sent_at"] < second["sent_at"]
    assert first["batch_id"] != second["batch_id"]
    assert all(path == "push" for path, _, _ in server.posts)
    assert server.posts[0][2]["Authorization"] == "Bearer sesame"


def test_nothing_is_sent_while_nothing_is_recorded(
    collector: MetricsCollector, server: ConsoleServer
) -> None:
    for _ in range(3):
        assert collector.flush()
    assert server.posts == []


def test_a_portfolio_is_sent_at_once_and_closed_positions_go_to_zero(
    collect: Collect, server: ConsoleServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opsclient.metrics.desk.FLUSH_S", 3600.0)
    collector = collect()
    collector.update_portfolio(100_000, -50.5, 1.2, 3, {"AAPL": 60, "IBM": 40}, daily_loss_limit_used_pct=7)
    eventually(lambda: len(server.metrics.batches) == 1, "it is sent at once")
    assert server.metrics.gauges == {
        key("portfolio_value_usd"): 100_000,
        key("portfolio_daily_pnl_usd"): -50.5,
        key("portfolio_sharpe_ratio"): 1.2,
        key("portfolio_max_drawdown_pct"): 3,
        key("portfolio_position_concentration_pct", ticker="AAPL"): 60,
        key("portfolio_position_concentration_pct", ticker="IBM"): 40,
        key("portfolio_daily_loss_limit_used_pct"): 7,
    }
    collector.update_portfolio(value_usd=1, concentration_pct={"IBM": 100})
    eventually(lambda: len(server.metrics.batches) == 2, "it is sent at once")
    assert [(row["labels"], row["set"]) for row in server.metrics.batches[1]["series"]] == [
        ({}, 1),
        ({"ticker": "AAPL"}, 0),
        ({"ticker": "IBM"}, 100),
    ]


def test_a_timed_request_has_its_status(collector: MetricsCollector, server: ConsoleServer) -> None:
    with collector.time_api_request("GET", "/a"):
        pass
    with collector.time_api_request("GET", "/a") as request:
        request.status = 404
    with pytest.raises(KeyError), collector.time_api_request("GET", "/a"):
        raise KeyError
    with pytest.raises(ValueError, match="status must"), collector.time_api_request("GET", "/a") as request:
        request.status = ""
    assert collector.flush()
    counted = {dict(labels)["status"]: value for (_, labels), value in server.metrics.counters.items()}
    assert counted == {"200": 1, "404": 1, "error": 2}
    assert sum(row["count"] for row in server.metrics.histograms.values()) == 4


def test_labels_without_end_are_counted_as_other(
    collector: MetricsCollector,
    server: ConsoleServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("opsclient.metrics.series.MOST_LABEL_SETS", 3)
    for number in range(10):
        collector.record_trade(f"T{number}", "BUY")
    assert collector.flush()
    assert server.metrics.total("trades_total") == 10
    assert server.metrics.total("trades_total", ticker="other", side="BUY", status="other") == 7
    assert caplog.text.count("trades_total has 3 sets of labels") == 1


def test_much_at_once_is_several_batches(collector: MetricsCollector, server: ConsoleServer) -> None:
    for number in range(1_000):
        for name in ("signals_generated_total", "ai_api_calls_total", "api_requests_total"):
            labels = {
                "signals_generated_total": {"ticker": f"T{number}", "signal": "BUY"},
                "ai_api_calls_total": {"provider": f"P{number}", "model": "m", "status": "s"},
                "api_requests_total": {"method": "GET", "endpoint": f"/{number}" * 12, "status": "200"},
            }[name]
            collector.inc(name, **labels)
    assert collector.flush()
    assert len(server.metrics.counters) == 3_000
    assert all(len(batch["series"]) <= 2_000 for batch in server.metrics.batches)
    assert all(int(headers["Content-Length"]) < 1024 * 1024 for _, _, headers in server.posts)
