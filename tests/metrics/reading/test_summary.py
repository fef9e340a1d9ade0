"""GET /monitoring/metrics/summary and /trading: refusals first, then what is unknown and why, then the numbers."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from killswitch.models import Activation
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.summary import summary, trading
from opsconsole import env
from opsconsole.accounts.models import User
from tests.cast import ApiClient, caller
from tests.metrics.rows import a_series, at, gauge, histogram, minute
from tests.pages.queries import most_queries

pytestmark = pytest.mark.usefixtures("tables")
NOW = at("2026-11-20 15:00")
LATELY = at("2026-11-20 14:58")
ADDRESSES = ["/monitoring/metrics/summary", "/monitoring/metrics/trading"]
BPS = len(CATALOGUE["trade_slippage_bps"].buckets) + 1


@pytest.fixture(autouse=True)
def _desk_in_utc(settings: Settings) -> None:
    settings.TRADING_ZONE = env.zone("X", "UTC", environ={})


@pytest.mark.parametrize("address", ADDRESSES)
def test_refuses_who_may_not_read(address: str, charlie: User) -> None:
    assert ApiClient().get(address).status_code == 401
    answer = caller(charlie).get(address)
    assert answer.status_code == 403
    assert answer.json()["error"]["message"] == "Reading metrics needs the role viewer."


@pytest.mark.parametrize("address", ADDRESSES)
def test_answers_the_guides_curl_line(address: str, settings: Settings) -> None:
    settings.LOCAL_ACCOUNT = True
    client = ApiClient(REMOTE_ADDR="127.0.0.1", headers={"host": "localhost:8000"})
    assert client.get(address).status_code == 200


def test_says_of_everything_that_it_was_never_reported(bob: User) -> None:
    answer = caller(bob).get(ADDRESSES[0]).json()
    for group in ("trading", "portfolio", "ai_cost", "system", "risk"):
        assert answer[group]
        for name, value in answer[group].items():
            if name == "kill_switch_activations_today":
                assert (value["value"], value["reason"]) == (0, None)
            else:
                assert (value["value"], value["reason"]) == (None, "never reported"), name


def test_a_stale_gauge_is_unknown_with_its_last_value() -> None:
    a_series("portfolio_value_usd", when=NOW - timedelta(minutes=7), value=100_000)
    value = summary(now=NOW)["portfolio"]["value_usd"]
    assert (value.value, value.last_value, value.age_seconds) == (None, 100_000, 420)
    assert value.reason == "stale, last reported 7 min ago"


def test_a_gauge_is_known_for_five_minutes() -> None:
    a_series("portfolio_value_usd", when=NOW - timedelta(minutes=5), value=100_000)
    value = summary(now=NOW)["portfolio"]["value_usd"]
    assert (value.value, value.last_value, value.age_seconds, value.reason) == (100_000, None, 300, None)


def test_adds_money_over_clients_and_says_when_a_part_is_unknown() -> None:
    a_series("portfolio_daily_pnl_usd", client="a", when=LATELY, value=-300)
    late = a_series("portfolio_daily_pnl_usd", client="b", when=LATELY, value=50)
    assert summary(now=NOW)["portfolio"]["daily_pnl_usd"].value == -250
    late.at = NOW - timedelta(minutes=10)
    late.save()
    value = summary(now=NOW)["portfolio"]["daily_pnl_usd"]
    assert (value.value, value.last_value) == (None, -250)
    assert value.reason == "stale, last reported 10 min ago by b"
    assert [(part.labels["client"], part.value) for part in value.parts] == [("a", -300), ("b", None)]


def test_a_client_of_yesterday_is_no_part_of_today() -> None:
    a_series("portfolio_value_usd", client="gone", when=NOW - timedelta(days=1), value=1_000_000)
    a_series("portfolio_value_usd", client="here", when=LATELY, value=500)
    assert summary(now=NOW)["portfolio"]["value_usd"].value == 500


def test_of_ratios_the_worst_counts() -> None:
    for client, sharpe, drawdown in (("a", 1.5, 4), ("b", -0.2, 12)):
        a_series("portfolio_sharpe_ratio", client=client, when=LATELY, value=sharpe)
        a_series("portfolio_max_drawdown_pct", client=client, when=LATELY, value=drawdown)
    found = summary(now=NOW)["portfolio"]
    assert (found["sharpe_ratio"].value, found["max_drawdown_pct"].value) == (-0.2, 12)


def test_a_label_that_is_reported_no_more_is_left_out() -> None:
    a_series("risk_score", when=NOW - timedelta(minutes=20), value=99, risk_type="market", ticker="SOLD")
    a_series("risk_score", when=LATELY, value=40, risk_type="market", ticker="IBM")
    value = summary(now=NOW)["risk"]["risk_score"]
    assert (value.value, value.reason) == (40, None)


def test_counts_open_breakers() -> None:
    for name, state in (("claude", 2), ("yahoo_finance", 1), ("sec_edgar", 0)):
        a_series("circuit_breaker_state", when=LATELY, value=state, name=name)
    a_series("circuit_breaker_state", client="b", when=LATELY, value=2, name="claude")
    assert summary(now=NOW)["system"]["circuit_breakers_open"].value == 1


def trades(client: str, when: datetime, ticker: str, side: str, *rows: tuple[str, float]) -> None:
    row = a_series("trades_total", client=client, when=when, ticker=ticker, side=side, status="FILLED")
    for moment, total in rows:
        minute(row, moment, total)


def test_counts_today_only() -> None:
    trades(
        "a", LATELY, "IBM", "BUY", ("2026-11-19 23:59", 50), ("2026-11-20 00:00", 2), ("2026-11-20 14:58", 3)
    )
    trades("b", LATELY, "IBM", "SELL", ("2026-11-20 09:00", 4))
    value = summary(now=NOW)["trading"]["trades_today"]
    assert (value.value, value.at, value.age_seconds, value.reason) == (9, LATELY, 120, None)


def test_no_trade_is_0_only_while_its_client_speaks() -> None:
    yesterday = NOW - timedelta(days=1)
    trades("a", yesterday, "IBM", "BUY", ("2026-11-19 14:00", 50))
    value = summary(now=NOW)["trading"]["trades_today"]
    assert (value.value, value.reason) == (None, "not reported today")
    a_series("portfolio_value_usd", client="a", when=LATELY, value=1)
    value = summary(now=NOW)["trading"]["trades_today"]
    assert (value.value, value.at) == (0, yesterday)
    assert trading(now=NOW)["trades"]["today"].value == 0


def test_a_mean_of_nothing_is_unknown() -> None:
    a_series("trade_slippage_bps", when=LATELY, ticker="IBM")
    value = summary(now=NOW)["trading"]["slippage_p95_bps"]
    assert (value.value, value.reason) == (None, "nothing was measured today")


def test_says_what_trading_did_today(settings: Settings) -> None:
    settings.AI_DAILY_BUDGET_USD, settings.AI_MONTHLY_BUDGET_USD = 10, 200
    trades("a", LATELY, "IBM", "BUY", ("2026-11-20 10:00", 5))
    trades("a", LATELY, "AAPL", "SELL", ("2026-11-20 10:00", 7))
    slippage = a_series("trade_slippage_bps", when=LATELY, ticker="IBM")
    histogram(slippage, "2026-11-20 10:00", [0] * 8 + [10] + [0] * (BPS - 9), 15)
    for model, usd in (("small", 2), ("large", 10)):
        row = a_series("ai_cost_usd_total", when=LATELY, provider="anthropic", model=model)
        minute(row, "2026-11-20 11:00", usd)
    signal = a_series("signals_generated_total", when=LATELY, ticker="IBM", signal="BUY")
    minute(signal, "2026-11-20 10:00", 6)
    found = trading(now=NOW)
    assert found["trades"]["today"].value == 12
    assert found["trades"]["by_ticker"] == {"AAPL": 7, "IBM": 5}
    assert found["trades"]["by_side"] == {"SELL": 7, "BUY": 5}
    assert found["trades"]["by_status"] == {"FILLED": 12}
    assert found["slippage_bps"]["mean"].value == 1.5
    assert found["slippage_bps"]["p95"].value == pytest.approx(1.95)
    assert found["signals"]["by_type"] == {"BUY": 6}
    cost = found["ai_cost"]
    assert (cost["today_usd"].value, cost["daily_budget_used_pct"].value) == (12, 120)
    assert cost["by_model"][0] == {"provider": "anthropic", "model": "large", "usd": 10}
    assert cost["projected_month_usd"].value is None
    assert cost["monthly_budget_used_pct"].reason == cost["projected_month_usd"].reason


def test_counts_stops_but_no_drills() -> None:
    for drill, scope in ((False, "global"), (True, "global"), (False, "symbol:IBM")):
        Activation.objects.create(
            scope=scope, mode="HALTED", drill=drill, epoch=1, reason="MANUAL", activated_at=LATELY, actor_kind="user", term_ms=2000
        )  # fmt: skip
    assert summary(now=NOW)["risk"]["kill_switch_activations_today"].value == 2


def test_answers_as_described(bob: User) -> None:
    now = timezone.now()
    a_series("cache_hit_rate", when=now, value=93.5, cache_type="redis")
    answer: dict[str, Any] = caller(bob).get(ADDRESSES[0]).json()
    value = answer["system"]["cache_hit_rate_pct"]
    assert (value["value"], value["parts"][0]["labels"]["cache_type"]) == (93.5, "redis")
    assert answer["trading_day"]["zone"] == "UTC"


def test_asks_a_few_times_whatever_there_is() -> None:
    for ticker in range(30):
        trades("a", LATELY, f"T{ticker}", "BUY", ("2026-11-20 10:00", 1))
        row = a_series("ai_cost_usd_total", when=LATELY, provider="p", model=f"m{ticker}")
        minute(row, "2026-11-20 11:00", 1)
    gauge(a_series("portfolio_value_usd", when=LATELY, value=5), "2026-11-20 14:58", 5)
    with most_queries(8):
        summary(now=NOW)
