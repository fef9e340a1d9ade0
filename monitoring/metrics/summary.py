"""The summaries: today's and current values of all metrics, and of trading."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings

from killswitch.models import Activation
from monitoring.day import today, trading_date, zone
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.cost import Month, month
from monitoring.metrics.current import Known
from monitoring.metrics.values import NEVER, Value, known, unknown

Values = Mapping[str, Value]
OPEN = 2


def summary(*, now: datetime) -> dict[str, Any]:
    """`at`, `trading_day`, and the values of each group by name. Eight queries, whatever there is."""
    found = Known(CATALOGUE, now=now)
    return {
        "at": now,
        "trading_day": trading_day(now),
        "trading": trading_values(found),
        "portfolio": portfolio_values(found),
        "ai_cost": cost_values(found, month(now)),
        "system": system_values(found),
        "risk": risk_values(found),
    }


def trading(*, now: datetime) -> dict[str, Any]:
    """What an operator asks first when costs or losses look wrong (guide 8.2)."""
    names = (
        "trades_total",
        "trade_slippage_bps",
        "signals_generated_total",
        "portfolio_daily_pnl_usd",
        *COST_NAMES,
    )
    found = Known(names, now=now)
    this_month = month(now)
    costs = cost_values(found, this_month)
    return {
        "at": now,
        "trading_day": trading_day(now),
        "trades": {
            "today": found.count("trades_total"),
            "by_ticker": _counts(found, "trades_total", "ticker"),
            "by_side": _counts(found, "trades_total", "side"),
            "by_status": _counts(found, "trades_total", "status"),
        },
        "slippage_bps": {
            "mean": found.mean("trade_slippage_bps"),
            "p95": found.quantile("trade_slippage_bps", 0.95),
        },
        "signals": {
            "today": found.count("signals_generated_total"),
            "by_type": _counts(found, "signals_generated_total", "signal"),
        },
        "daily_pnl_usd": found.gauge("portfolio_daily_pnl_usd", sum),
        "ai_cost": {
            "today_usd": costs["cost_today_usd"],
            "by_model": [
                {**labels, "usd": usd}
                for labels, usd in found.counts_by("ai_cost_usd_total", "provider", "model")
            ],
            "month_so_far_usd": costs["month_so_far_usd"],
            "projected_month_usd": costs["projected_month_usd"],
            "daily_budget_usd": settings.AI_DAILY_BUDGET_USD,
            "daily_budget_used_pct": costs["daily_budget_used_pct"],
            "monthly_budget_usd": settings.AI_MONTHLY_BUDGET_USD,
            "monthly_budget_used_pct": costs["monthly_budget_used_pct"],
        },
    }


def trading_day(now: datetime) -> dict[str, Any]:
    span = today(now)
    return {"date": trading_date(now), "zone": zone().key, "start": span.start, "end": span.end}


# Groups. Each is also what a page shows.

TRADING_NAMES = (
    "trades_total",
    "trade_slippage_bps",
    "trade_execution_duration_seconds",
    "signals_generated_total",
    "signal_confidence",
)
PORTFOLIO_NAMES = (
    "portfolio_value_usd",
    "portfolio_daily_pnl_usd",
    "portfolio_sharpe_ratio",
    "portfolio_max_drawdown_pct",
    "portfolio_position_concentration_pct",
)
COST_NAMES = (
    "ai_cost_usd_total",
    "ai_api_calls_total",
    "ai_tokens_used_total",
    "ai_analyses_total",
    "cache_savings_usd_total",
)
SYSTEM_NAMES = (
    "api_requests_total",
    "api_request_duration_seconds",
    "cache_hit_rate",
    "circuit_breaker_state",
    "host_cpu_usage_pct",
    "host_memory_usage_pct",
    "host_disk_usage_pct",
)
RISK_NAMES = ("risk_score", "portfolio_daily_loss_limit_used_pct", "volatility_breach_total")


def trading_values(found: Known) -> dict[str, Value]:
    return {
        "trades_today": found.count("trades_total"),
        "signals_today": found.count("signals_generated_total"),
        "slippage_mean_bps": found.mean("trade_slippage_bps"),
        "slippage_p95_bps": found.quantile("trade_slippage_bps", 0.95),
        "execution_p95_seconds": found.quantile("trade_execution_duration_seconds", 0.95),
        "signal_confidence_mean": found.mean("signal_confidence"),
    }


def portfolio_values(found: Known) -> dict[str, Value]:
    """Money is added over clients; of ratios the worst one counts."""
    return {
        "value_usd": found.gauge("portfolio_value_usd", sum),
        "daily_pnl_usd": found.gauge("portfolio_daily_pnl_usd", sum),
        "sharpe_ratio": found.gauge("portfolio_sharpe_ratio", min),
        "max_drawdown_pct": found.gauge("portfolio_max_drawdown_pct", max),
        "position_concentration_pct": found.gauge("portfolio_position_concentration_pct", max),
    }


def cost_values(found: Known, this_month: Month) -> dict[str, Value]:
    cost = found.count("ai_cost_usd_total")
    analyses = found.count("ai_analyses_total")
    at = max((row.at for row in found.series["ai_cost_usd_total"]), default=None)
    projected = _of_month(this_month.projected, this_month.reason, at, found.now)
    return {
        "cost_today_usd": cost,
        "daily_budget_used_pct": cost.of(100 * (cost.value or 0) / settings.AI_DAILY_BUDGET_USD),
        "month_so_far_usd": _of_month(this_month.so_far, this_month.reason, at, found.now),
        "projected_month_usd": projected,
        "monthly_budget_used_pct": projected.of(
            100 * (projected.value or 0) / settings.AI_MONTHLY_BUDGET_USD
        ),
        "calls_today": found.count("ai_api_calls_total"),
        "tokens_today": found.count("ai_tokens_used_total"),
        "analyses_today": analyses,
        "cost_per_analysis_usd": _per_analysis(cost, analyses),
        "cache_savings_today_usd": found.count("cache_savings_usd_total"),
    }


def system_values(found: Known) -> dict[str, Value]:
    breakers = found.gauge("circuit_breaker_state", max)
    return {
        "api_requests_today": found.count("api_requests_total"),
        "api_latency_p50_seconds": found.quantile("api_request_duration_seconds", 0.5),
        "api_latency_p95_seconds": found.quantile("api_request_duration_seconds", 0.95),
        "api_latency_p99_seconds": found.quantile("api_request_duration_seconds", 0.99),
        "cache_hit_rate_pct": found.gauge("cache_hit_rate", min),
        "circuit_breakers_open": replace(
            breakers, value=None if breakers.value is None else open_breakers(breakers)
        ),
        "host_cpu_pct": found.gauge("host_cpu_usage_pct", max, every=False),
        "host_memory_pct": found.gauge("host_memory_usage_pct", max, every=False),
        "host_disk_pct": found.gauge("host_disk_usage_pct", max, every=False),
    }


def open_breakers(states: Value) -> float:
    """How many breakers are open for anybody: several processes may report the same one."""
    return float(len({part.labels["name"] for part in states.parts if (part.value or 0) >= OPEN}))


def risk_values(found: Known) -> dict[str, Value]:
    return {
        "risk_score": found.gauge("risk_score", max),
        "daily_loss_limit_used_pct": found.gauge("portfolio_daily_loss_limit_used_pct", max),
        "volatility_breaches_today": found.count("volatility_breach_total"),
        "kill_switch_activations_today": activations(found.now),
    }


def activations(now: datetime) -> Value:
    """Of today, drills not counted. The console knows them itself, so they are never unknown."""
    real = Activation.objects.filter(drill=False, activated_at__gte=today(now).start, activated_at__lte=now)
    return known(float(real.count()), now, now=now)


def _of_month(number: float | None, reason: str | None, at: datetime | None, now: datetime) -> Value:
    if number is None or at is None:
        return unknown(reason or NEVER)
    return known(number, at, now=now)


def _per_analysis(cost: Value, analyses: Value) -> Value:
    if analyses.value is None:
        return analyses
    if not analyses.value:
        return Value(at=analyses.at, age_seconds=analyses.age_seconds, reason="no analysis today")
    return cost.of((cost.value or 0) / analyses.value)


def _counts(found: Known, name: str, label: str) -> dict[str, float]:
    return {labels[label]: total for labels, total in found.counts_by(name, label)}
