"""The metrics that a trading process may report, as the console's own catalogue has them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What is done with a metric: `inc`, `set` or `observe`."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """`buckets`: upper bounds of a histogram, ascending, without +Inf. `choices`: the values that a label may have, where they are few."""

    name: str
    kind: Kind
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BPS = (-50.0, -20.0, -10.0, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
_SHARES = tuple(number / 10 for number in range(1, 11))


def _counter(name: str, *labels: str, **choices: tuple[str, ...]) -> Metric:
    return Metric(name, Kind.COUNTER, labels, choices=choices)


def _gauge(name: str, *labels: str) -> Metric:
    return Metric(name, Kind.GAUGE, labels)


def _histogram(name: str, *labels: str, buckets: tuple[float, ...]) -> Metric:
    return Metric(name, Kind.HISTOGRAM, labels, buckets)


TRADES = _counter("trades_total", "ticker", "side", "status", side=("BUY", "SELL"))
SLIPPAGE = _histogram("trade_slippage_bps", "ticker", buckets=_BPS)
EXECUTION = _histogram("trade_execution_duration_seconds", "ticker", buckets=_SECONDS)
SIGNALS = _counter("signals_generated_total", "ticker", "signal")
CONFIDENCE = _histogram("signal_confidence", "signal", buckets=_SHARES)
VALUE = _gauge("portfolio_value_usd")
DAILY_PNL = _gauge("portfolio_daily_pnl_usd")
SHARPE = _gauge("portfolio_sharpe_ratio")
DRAWDOWN = _gauge("portfolio_max_drawdown_pct")
CONCENTRATION = _gauge("portfolio_position_concentration_pct", "ticker")
AI_CALLS = _counter("ai_api_calls_total", "provider", "model", "status")
AI_COST = _counter("ai_cost_usd_total", "provider", "model")
AI_TOKENS = _counter("ai_tokens_used_total", "provider", "model", "kind", kind=("input", "output", "cached"))
AI_ANALYSES = _counter("ai_analyses_total", "provider", "model")
CACHE_SAVINGS = _counter("cache_savings_usd_total", "cache_type")
API_REQUESTS = _counter("api_requests_total", "method", "endpoint", "status")
API_DURATION = _histogram("api_request_duration_seconds", "method", "endpoint", "status", buckets=_SECONDS)
CACHE_HIT_RATE = _gauge("cache_hit_rate", "cache_type")
BREAKER = _gauge("circuit_breaker_state", "name")
RISK = _gauge("risk_score", "risk_type", "ticker")
LOSS_LIMIT = _gauge("portfolio_daily_loss_limit_used_pct")
VOLATILITY = _counter("volatility_breach_total", "ticker")

TABLE: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        TRADES,
        SLIPPAGE,
        EXECUTION,
        SIGNALS,
        CONFIDENCE,
        VALUE,
        DAILY_PNL,
        SHARPE,
        DRAWDOWN,
        CONCENTRATION,
        AI_CALLS,
        AI_COST,
        AI_TOKENS,
        AI_ANALYSES,
        CACHE_SAVINGS,
        API_REQUESTS,
        API_DURATION,
        CACHE_HIT_RATE,
        BREAKER,
        RISK,
        LOSS_LIMIT,
        VOLATILITY,
    )
}

# What the console knows itself, and takes from nobody.
CONSOLE_OWN = frozenset(
    {
        "ai_monthly_cost_usd",
        "circuit_breaker_transitions_total",
        "circuit_breaker_rejected_total",
        "circuit_breaker_open_seconds_total",
        "health_check_duration_seconds",
        "health_component_status",
        "host_cpu_usage_pct",
        "host_memory_usage_pct",
        "host_disk_usage_pct",
        "kill_switch_activations_total",
    }
)
