"""The panels of the four pages (guide §7.2): what each draws. How its value reads is in `monitoring.metrics.headlines`."""

from dataclasses import dataclass
from enum import StrEnum


class Style(StrEnum):
    """Bars for what happened within a step, lines for what was so, steps for states."""

    BARS = "bars"
    LINE = "line"
    STEPS = "steps"


@dataclass(frozen=True, slots=True)
class Query:
    """Lines of one metric. `show`: increase, rate, last, high, mean, p50, p95 or p99; `by`: see `reading.series`, of a gauge
    `reading.highest`; `label`: else the labels' values.

    `over`: a second counter; the line is then the increase of this one for each of the other.
    """

    name: str
    show: str
    by: tuple[str, ...] | None = None
    label: str = ""
    over: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`unit`: as in the catalogue, `per_second`, or `state`. `top`: an axis that ends there at least."""

    key: str
    title: str
    unit: str
    style: Style
    queries: tuple[Query, ...] = ()
    top: float | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """`name`: of its address and live parts, without `metrics-`."""

    name: str
    title: str
    panels: tuple[Panel, ...]


def _last(name: str, label: str = "") -> tuple[Query, ...]:
    return (Query(name, "last", label=label),)


def _increase(name: str, *by: str) -> tuple[Query, ...]:
    return (Query(name, "increase", by=by, label="" if by else "all"),)


def _shows(name: str, *shows: str) -> tuple[Query, ...]:
    return tuple(Query(name, show, by=(), label=show) for show in shows)


# Lines of these are not metrics: `monitoring.metrics.charts` draws them from the kill switch's activations.
SWITCH, ACTIVATIONS = "switch", "activations"

SYSTEM = Page(
    "system",
    "System",
    (
        Panel(
            "requests",
            "API request rate",
            "per_second",
            Style.LINE,
            (Query("api_requests_total", "rate", by=(), label="all"),),
        ),
        Panel(
            "latency",
            "API latency",
            "seconds",
            Style.LINE,
            _shows("api_request_duration_seconds", "p50", "p95", "p99"),
        ),
        Panel("cache", "Cache hit rate", "percent", Style.LINE, _last("cache_hit_rate"), top=100),
        Panel(
            "resources",
            "System resources",
            "percent",
            Style.LINE,
            (
                Query("host_cpu_usage_pct", "last", label="CPU"),
                Query("host_memory_usage_pct", "last", label="Memory"),
                Query("host_disk_usage_pct", "last", label="Disk"),
            ),
            top=100,
        ),
        Panel(
            "breakers",
            "Circuit breakers",
            "state",
            Style.STEPS,
            (Query("circuit_breaker_state", "high", by=("name",)),),
            top=2,
        ),
        Panel(SWITCH, "Kill switch", "state", Style.STEPS, top=1),
    ),
)
TRADING = Page(
    "trading",
    "Trading",
    (
        Panel("trades", "Total trades today", "", Style.BARS, _increase("trades_total", "side")),
        Panel(
            "slippage",
            "Trade slippage distribution",
            "bps",
            Style.LINE,
            _shows("trade_slippage_bps", "mean", "p50", "p95"),
        ),
        Panel("signals", "Signals by type", "", Style.BARS, _increase("signals_generated_total", "signal")),
        Panel("value", "Portfolio value", "usd", Style.LINE, _last("portfolio_value_usd")),
        Panel("pnl", "Daily P&L", "usd", Style.LINE, _last("portfolio_daily_pnl_usd")),
        Panel("sharpe", "Sharpe ratio, 30 days", "ratio", Style.LINE, _last("portfolio_sharpe_ratio")),
    ),
)
COST = Page(
    "cost",
    "Cost",
    (
        Panel("cost", "AI cost today", "usd", Style.BARS, _increase("ai_cost_usd_total")),
        Panel("models", "AI cost by model", "usd", Style.BARS, _increase("ai_cost_usd_total", "model")),
        Panel("tokens", "Token usage", "", Style.BARS, _increase("ai_tokens_used_total", "kind")),
        Panel("month", "Projected month", "usd", Style.LINE, _last("ai_monthly_cost_usd", "projected")),
        Panel(
            "analysis",
            "Cost per analysis",
            "usd",
            Style.LINE,
            (Query("ai_cost_usd_total", "ratio", by=(), label="all", over="ai_analyses_total"),),
        ),
        Panel(
            "savings", "Cache savings", "usd", Style.BARS, _increase("cache_savings_usd_total", "cache_type")
        ),
    ),
)
RISK = Page(
    "risk",
    "Risk",
    (
        Panel("scores", "Risk scores by ticker", "", Style.LINE, _last("risk_score"), top=100),
        Panel(
            "breaches", "Volatility breaches", "", Style.BARS, _increase("volatility_breach_total", "ticker")
        ),
        Panel(
            "concentration",
            "Position concentration",
            "percent",
            Style.LINE,
            _last("portfolio_position_concentration_pct"),
        ),
        Panel(
            "limit",
            "Daily loss limit use",
            "percent",
            Style.LINE,
            _last("portfolio_daily_loss_limit_used_pct"),
            top=100,
        ),
        Panel(ACTIVATIONS, "Kill switch activations", "", Style.BARS),
    ),
)
PAGES = {page.name: page for page in (SYSTEM, TRADING, COST, RISK)}
