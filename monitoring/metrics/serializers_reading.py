"""What the summaries and charts answer."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from monitoring.metrics.catalogue import CATALOGUE, Kind
from monitoring.metrics.cells import QUANTILES, quantile
from monitoring.metrics.reading import Chart, Line

Counts = serializers.DictField
Number = serializers.FloatField
Numbers = serializers.ListField


class PartSerializer(serializers.Serializer[Any]):
    labels = Counts(child=serializers.CharField())
    value = Number(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    age_seconds = Number(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    last_value = Number(allow_null=True)


class ValueSerializer(serializers.Serializer[Any]):
    value = Number(allow_null=True, help_text="Null: not known; `reason` says why.")
    at = serializers.DateTimeField(
        allow_null=True, help_text="When it was reported; of several parts the oldest."
    )
    age_seconds = Number(allow_null=True)
    reason = serializers.CharField(allow_null=True)
    last_value = Number(allow_null=True, help_text="Of a stale value: what it was.")
    parts = PartSerializer(many=True, help_text="Of a value that several clients or labels make up.")


class DaySerializer(serializers.Serializer[Any]):
    date = serializers.DateField()
    zone = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()


def _group(name: str, *fields: str) -> type[serializers.Serializer[Any]]:
    return type(name, (serializers.Serializer,), {field: ValueSerializer() for field in fields})


TradingGroup = _group(
    "MetricsTradingGroupSerializer",
    *("trades_today", "signals_today", "slippage_mean_bps", "slippage_p95_bps"),
    *("execution_p95_seconds", "signal_confidence_mean"),
)
PortfolioGroup = _group(
    "MetricsPortfolioGroupSerializer",
    *("value_usd", "daily_pnl_usd", "sharpe_ratio", "max_drawdown_pct", "position_concentration_pct"),
)
CostGroup = _group(
    "MetricsCostGroupSerializer",
    *("cost_today_usd", "daily_budget_used_pct", "month_so_far_usd", "projected_month_usd"),
    *("monthly_budget_used_pct", "calls_today", "tokens_today", "analyses_today"),
    *("cost_per_analysis_usd", "cache_savings_today_usd"),
)
SystemGroup = _group(
    "MetricsSystemGroupSerializer",
    *("api_requests_today", "api_latency_p50_seconds", "api_latency_p95_seconds", "api_latency_p99_seconds"),
    *("cache_hit_rate_pct", "circuit_breakers_open", "host_cpu_pct", "host_memory_pct", "host_disk_pct"),
)
RiskGroup = _group(
    "MetricsRiskGroupSerializer",
    *(
        "risk_score",
        "daily_loss_limit_used_pct",
        "volatility_breaches_today",
        "kill_switch_activations_today",
    ),
)


class MetricsSummarySerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    trading_day = DaySerializer()
    trading = TradingGroup()
    portfolio = PortfolioGroup()
    ai_cost = CostGroup()
    system = SystemGroup()
    risk = RiskGroup()


class TradesSerializer(serializers.Serializer[Any]):
    today = ValueSerializer()
    by_ticker = Counts(child=Number())
    by_side = Counts(child=Number())
    by_status = Counts(child=Number())


class SlippageSerializer(serializers.Serializer[Any]):
    mean = ValueSerializer()
    p95 = ValueSerializer()


class SignalsSerializer(serializers.Serializer[Any]):
    today = ValueSerializer()
    by_type = Counts(child=Number())


class ModelCostSerializer(serializers.Serializer[Any]):
    provider = serializers.CharField()
    model = serializers.CharField()
    usd = Number()


class AiCostSerializer(serializers.Serializer[Any]):
    today_usd = ValueSerializer()
    by_model = ModelCostSerializer(many=True)
    month_so_far_usd = ValueSerializer()
    projected_month_usd = ValueSerializer(
        help_text="Cost so far, and the mean of the last 7 full days for the time left."
    )
    daily_budget_usd = Number()
    daily_budget_used_pct = ValueSerializer()
    monthly_budget_usd = Number()
    monthly_budget_used_pct = ValueSerializer(help_text="By the projection.")


class MetricsTradingSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    trading_day = DaySerializer()
    trades = TradesSerializer()
    slippage_bps = SlippageSerializer()
    signals = SignalsSerializer()
    daily_pnl_usd = ValueSerializer()
    ai_cost = AiCostSerializer()


def _numbers(text: str) -> serializers.ListField:
    return Numbers(child=Number(allow_null=True), required=False, help_text=text)


class LineSerializer(serializers.Serializer[Any]):
    labels = Counts(child=serializers.CharField())
    increase = _numbers("Counters.")
    rate = _numbers("Counters: per second.")
    last = _numbers("Gauges.")
    low = _numbers("Gauges.")
    high = _numbers("Gauges.")
    count = _numbers("Histograms.")
    mean = _numbers("Histograms.")
    p50 = _numbers("Histograms, estimated from their buckets.")
    p95 = _numbers("Histograms, estimated from their buckets.")
    p99 = _numbers("Histograms, estimated from their buckets.")


class ChartSerializer(serializers.Serializer[Any]):
    name = serializers.ChoiceField(choices=list(CATALOGUE))
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    unit = serializers.CharField(allow_blank=True)
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    step_seconds = serializers.IntegerField()
    times = Numbers(child=serializers.IntegerField(), help_text="Seconds since 1970: where each step begins.")
    series = LineSerializer(many=True, help_text="A number for each of `times`; null: a gap.")


def chart_data(chart: Chart, *, now_seconds: float) -> Mapping[str, Any]:
    times = [int(at.timestamp()) for at in chart.times]
    return {
        "name": chart.metric.name,
        "kind": chart.metric.kind.value,
        "unit": chart.metric.unit,
        "start": chart.start,
        "end": chart.end,
        "step_seconds": int(chart.step.total_seconds()),
        "times": times,
        "series": [
            {"labels": line.labels, **columns(chart, line, now_seconds=now_seconds)} for line in chart.lines
        ],
    }


def columns(chart: Chart, line: Line, *, now_seconds: float) -> dict[str, list[float | None]]:
    """The numbers of one line by what they say. The rate of the step that is under way is that of its time so far."""
    cells = line.cells
    if chart.metric.kind == Kind.COUNTER:
        step = chart.step.total_seconds()
        lengths = [min(step, now_seconds - at.timestamp()) for at in chart.times]
        return {
            "increase": [cell.total if cell else None for cell in cells],
            "rate": [
                cell.total / length if cell and length >= 1 else None
                for cell, length in zip(cells, lengths, strict=True)
            ],
        }
    if chart.metric.kind == Kind.GAUGE:
        return {name: [getattr(cell, name, None) for cell in cells] for name in ("last", "low", "high")}
    bounds = chart.metric.buckets
    return {
        "count": [cell.count if cell else None for cell in cells],
        "mean": [cell.mean if cell else None for cell in cells],
        **{
            f"p{share * 100:.0f}": [quantile(share, bounds, cell.buckets) if cell else None for cell in cells]
            for share in QUANTILES
        },
    }
