"""Every metric that there is: name, type, labels, unit, buckets and help, as `/metrics` shows it and the client knows it.

The names of the guide (§2.1), and what its dashboards (§7.2) need besides. Each series also has the label `client`: who reported it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Source(StrEnum):
    """Who says it: trading processes push theirs; the console knows the others itself, or counts them for each client from its reports."""

    CLIENT = "client"
    CONSOLE = "console"
    REPORTS = "reports"


class Group(StrEnum):
    TRADING = "trading"
    PORTFOLIO = "portfolio"
    AI_COST = "ai_cost"
    SYSTEM = "system"
    RISK = "risk"


@dataclass(frozen=True, slots=True)
class Metric:
    """`labels`: without `client`, in the order of the exposition. `unit`: for charts (`usd`, `percent`, `bps`, `seconds`, or empty: a number).

    `buckets`: upper bounds of a histogram, ascending, without +Inf. `choices`: the values that a label may have, where they are few.
    """

    name: str
    kind: Kind
    group: Group
    help: str
    labels: tuple[str, ...] = ()
    unit: str = ""
    buckets: tuple[float, ...] = ()
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    source: Source = Source.CLIENT


_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BPS = (-50.0, -20.0, -10.0, -5.0, -2.0, -1.0, 0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0)
_SHARES = tuple(number / 10 for number in range(1, 11))


def _host(name: str, text: str) -> Metric:
    return Metric(name, Kind.GAUGE, Group.SYSTEM, text, unit="percent", source=Source.CONSOLE)


_METRICS = (
    # Trading
    Metric(
        "trades_total",
        Kind.COUNTER,
        Group.TRADING,
        "Trades executed.",
        labels=("ticker", "side", "status"),
        choices=MappingProxyType({"side": ("BUY", "SELL")}),
    ),
    Metric(
        "trade_slippage_bps",
        Kind.HISTOGRAM,
        Group.TRADING,
        "Slippage of trades in basis points; positive: worse than expected.",
        labels=("ticker",),
        unit="bps",
        buckets=_BPS,
    ),
    Metric(
        "trade_execution_duration_seconds",
        Kind.HISTOGRAM,
        Group.TRADING,
        "Time from the order to its execution.",
        labels=("ticker",),
        unit="seconds",
        buckets=_SECONDS,
    ),
    Metric(
        "signals_generated_total",
        Kind.COUNTER,
        Group.TRADING,
        "Trading signals generated.",
        labels=("ticker", "signal"),
    ),
    Metric(
        "signal_confidence",
        Kind.HISTOGRAM,
        Group.TRADING,
        "Confidence of trading signals, from 0 to 1.",
        labels=("signal",),
        buckets=_SHARES,
    ),
    # Portfolio
    Metric(
        "portfolio_value_usd",
        Kind.GAUGE,
        Group.PORTFOLIO,
        "Value of the portfolio, cash included.",
        unit="usd",
    ),
    Metric(
        "portfolio_daily_pnl_usd",
        Kind.GAUGE,
        Group.PORTFOLIO,
        "Profit and loss of the trading day.",
        unit="usd",
    ),
    Metric(
        "portfolio_sharpe_ratio",
        Kind.GAUGE,
        Group.PORTFOLIO,
        "Sharpe ratio over the last 30 trading days, annualised.",
    ),
    Metric(
        "portfolio_max_drawdown_pct",
        Kind.GAUGE,
        Group.PORTFOLIO,
        "Deepest fall from a peak so far, in percent of the peak.",
        unit="percent",
    ),
    Metric(
        "portfolio_position_concentration_pct",
        Kind.GAUGE,
        Group.PORTFOLIO,
        "Share of one position in the portfolio, in percent.",
        labels=("ticker",),
        unit="percent",
    ),
    # AI cost
    Metric(
        "ai_api_calls_total",
        Kind.COUNTER,
        Group.AI_COST,
        "Calls of AI services.",
        labels=("provider", "model", "status"),
    ),
    Metric(
        "ai_cost_usd_total",
        Kind.COUNTER,
        Group.AI_COST,
        "Cost of AI services.",
        labels=("provider", "model"),
        unit="usd",
    ),
    Metric(
        "ai_tokens_used_total",
        Kind.COUNTER,
        Group.AI_COST,
        "Tokens consumed by AI services.",
        labels=("provider", "model", "kind"),
        choices=MappingProxyType({"kind": ("input", "output", "cached")}),
    ),
    Metric(
        "ai_analyses_total",
        Kind.COUNTER,
        Group.AI_COST,
        "Analyses made with AI services; one may take several calls.",
        labels=("provider", "model"),
    ),
    Metric(
        "ai_monthly_cost_usd",
        Kind.GAUGE,
        Group.AI_COST,
        "Cost of AI services projected for the whole month.",
        unit="usd",
        source=Source.CONSOLE,
    ),
    Metric(
        "cache_savings_usd_total",
        Kind.COUNTER,
        Group.AI_COST,
        "Cost that answers from a cache have saved.",
        labels=("cache_type",),
        unit="usd",
    ),
    # System
    Metric(
        "api_requests_total",
        Kind.COUNTER,
        Group.SYSTEM,
        "Requests to APIs.",
        labels=("method", "endpoint", "status"),
    ),
    Metric(
        "api_request_duration_seconds",
        Kind.HISTOGRAM,
        Group.SYSTEM,
        "Time that requests to APIs took.",
        labels=("method", "endpoint", "status"),
        unit="seconds",
        buckets=_SECONDS,
    ),
    Metric(
        "cache_hit_rate",
        Kind.GAUGE,
        Group.SYSTEM,
        "Share of look-ups that the cache answered, in percent.",
        labels=("cache_type",),
        unit="percent",
    ),
    Metric(
        "circuit_breaker_state",
        Kind.GAUGE,
        Group.SYSTEM,
        "State of a circuit breaker: 0 closed, 1 half-open, 2 open.",
        labels=("name",),
    ),
    Metric(
        "circuit_breaker_transitions_total",
        Kind.COUNTER,
        Group.SYSTEM,
        "Changes of a circuit breaker's state, by the state they led to.",
        labels=("name", "to"),
        choices=MappingProxyType({"to": ("CLOSED", "HALF_OPEN", "OPEN")}),
        source=Source.REPORTS,
    ),
    Metric(
        "circuit_breaker_rejected_total",
        Kind.COUNTER,
        Group.SYSTEM,
        "Calls that a circuit breaker did not let through.",
        labels=("name",),
        source=Source.REPORTS,
    ),
    Metric(
        "circuit_breaker_open_seconds_total",
        Kind.COUNTER,
        Group.SYSTEM,
        "Seconds that a circuit breaker was open.",
        labels=("name",),
        unit="seconds",
        source=Source.REPORTS,
    ),
    _host("host_cpu_usage_pct", "Use of the host's processors, in percent."),
    _host("host_memory_usage_pct", "Use of the host's memory, in percent."),
    _host("host_disk_usage_pct", "Use of the disk with the console's data, in percent."),
    Metric(
        "health_component_status",
        Kind.GAUGE,
        Group.SYSTEM,
        "Status of a component of health: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown.",
        labels=("component",),
        source=Source.CONSOLE,
    ),
    Metric(
        "health_check_duration_seconds",
        Kind.GAUGE,
        Group.SYSTEM,
        "How long a component took to answer its newest health check.",
        labels=("component",),
        unit="seconds",
        source=Source.CONSOLE,
    ),
    # Risk
    Metric(
        "risk_score",
        Kind.GAUGE,
        Group.RISK,
        "Risk scores by type, from 0 to 100.",
        labels=("risk_type", "ticker"),
    ),
    Metric(
        "portfolio_daily_loss_limit_used_pct",
        Kind.GAUGE,
        Group.RISK,
        "Loss of the day in percent of its limit; 0 on a day with a profit.",
        unit="percent",
    ),
    Metric(
        "kill_switch_activations_total",
        Kind.COUNTER,
        Group.RISK,
        "Activations of the kill switch; drills are not counted.",
        labels=("reason",),
        source=Source.CONSOLE,
    ),
    Metric(
        "volatility_breach_total",
        Kind.COUNTER,
        Group.RISK,
        "Breaches of volatility limits.",
        labels=("ticker",),
    ),
)

CATALOGUE: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _METRICS})
