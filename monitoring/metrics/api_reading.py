"""/monitoring/metrics/summary, /trading and /series: what is known of metrics."""

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api_fields import moment
from monitoring.metrics import reading
from monitoring.metrics import serializers_reading as s
from monitoring.metrics.catalogue import CATALOGUE
from monitoring.metrics.summary import summary, trading
from opsconsole.api.access import require
from opsconsole.api.errors import invalid
from opsconsole.api.fields import refuse_unknown
from opsconsole.api.schema import errors

STEP = re.compile(r"([1-9][0-9]{0,8})([smhd]?)")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
LABEL_LENGTH = 200
HOUR = timedelta(hours=1)
# Examples of the schema.
KNOWN = {"value": 12.4, "at": "2026-11-20T14:58:00Z", "age_seconds": 3.1, "reason": None, "last_value": None}
STALE = {
    **KNOWN,
    "value": None,
    "age_seconds": 421,
    "reason": "stale, last reported 7 min ago",
    "last_value": 12.4,
}
SUMMARY_EXAMPLE = OpenApiExample(
    "an excerpt",
    response_only=True,
    value={
        "ai_cost": {"cost_today_usd": {**KNOWN, "parts": []}},
        "system": {"cache_hit_rate_pct": {**STALE, "parts": []}},
    },
)
TRADING_EXAMPLE = OpenApiExample(
    "an excerpt",
    response_only=True,
    value={
        "trades": {"by_side": {"BUY": 7, "SELL": 5}},
        "ai_cost": {"today_usd": {**KNOWN, "parts": []}, "daily_budget_usd": 10},
    },
)
SERIES_EXAMPLE = OpenApiExample(
    "trades by side",
    response_only=True,
    value={
        "name": "trades_total",
        "kind": "counter",
        "unit": "",
        "start": "2026-11-20T14:00:00Z",
        "end": "2026-11-20T14:02:00Z",
        "step_seconds": 60,
        "times": [1795183200, 1795183260],
        "series": [{"labels": {"side": "BUY"}, "increase": [30, None], "rate": [0.5, None]}],
    },
)


def may_read(request: Request) -> None:
    require(request, "monitoring.view_series", to="Reading metrics", role="viewer")


class SummaryView(APIView):
    @extend_schema(
        operation_id="metrics_summary",
        summary="Today's and current values of all metrics",
        description=(
            "Counts are of the trading day, which begins at midnight in `trading_day.zone`. What was never reported, or (gauges) not for five "
            "minutes, is null with a reason, never 0. Money is added over clients; of ratios the worst one is the value, and `parts` has all."
        ),
        examples=[SUMMARY_EXAMPLE],
        responses={200: s.MetricsSummarySerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(s.MetricsSummarySerializer(summary(now=timezone.now())).data)


class TradingView(APIView):
    @extend_schema(
        operation_id="metrics_trading",
        summary="Today's trades, slippage, signals, P&L and AI cost",
        description="Guide 8.2: is the AI cost over its budget? What is not known is null with a reason, never 0.",
        examples=[TRADING_EXAMPLE],
        responses={200: s.MetricsTradingSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(s.MetricsTradingSerializer(trading(now=timezone.now())).data)


class SeriesView(APIView):
    @extend_schema(
        operation_id="metrics_series",
        summary="One metric over time, for charts",
        description=(
            "Counters: increase and rate; gauges: last, low, high, apart by client; histograms: count, mean and quantiles. At most 2,000 points and "
            "200 series. Gaps are null."
        ),
        parameters=[
            OpenApiParameter("name", str, required=True, enum=list(CATALOGUE)),
            OpenApiParameter(
                "labels",
                str,
                description="Only series with these: `ticker:AAPL,side:BUY`; `client` is a label too. Or a JSON object.",
                examples=[OpenApiExample("one ticker", value="ticker:AAPL")],
            ),
            OpenApiParameter(
                "by",
                str,
                description="Counters and histograms: the labels to keep, separated by commas, all others are summed over; empty: one sum.",
            ),
            OpenApiParameter("from", datetime, description="An hour before `to` when left out."),
            OpenApiParameter("to", datetime, description="Now when left out."),
            OpenApiParameter(
                "step",
                str,
                description="Whole minutes: `60`, `5m`, `1h`, `1d`; when left out, what gives at most 300 points.",
            ),
        ],
        examples=[SERIES_EXAMPLE],
        responses={200: s.ChartSerializer, **errors(400, 403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        query: Mapping[str, Any] = request.query_params.dict()
        refuse_unknown(query, "name", "labels", "by", "from", "to", "step")
        now = timezone.now()
        end = moment(query, "to") or now
        start = moment(query, "from") or end - HOUR
        try:
            chart = reading.series(
                query.get("name", ""),
                _labels(query),
                start,
                end,
                _step(query) or reading.step_for(end - start),
                by=_by(query),
            )
        except reading.Refused as error:
            raise invalid(error.field, error.problem) from None
        return Response(s.chart_data(chart, now_seconds=now.timestamp()))


def _labels(query: Mapping[str, Any]) -> dict[str, str]:
    """`ticker:AAPL,side:BUY`, or a JSON object, for values with commas."""
    text = query.get("labels", "").strip()
    pairs = _of_json(text) if text.startswith("{") else _of_words(text)
    if any(len(value) > LABEL_LENGTH or "\x00" in label + value for label, value in pairs):
        raise invalid(
            "labels", f"must have values of at most {LABEL_LENGTH} characters, without NUL characters"
        )
    found = dict(pairs)
    if len(found) < len(pairs):
        raise invalid("labels", "must name each label once")
    return found


def _of_words(text: str) -> list[tuple[str, str]]:
    found = [pair.partition(":") for pair in text.split(",") if pair]
    if not all(label and colon for label, colon, _ in found):
        raise invalid("labels", "must look like ticker:AAPL,side:BUY, or be a JSON object of text")
    return [(label, value) for label, _, value in found]


def _of_json(text: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid("labels", "is not valid JSON") from None
    if not all(isinstance(value, str) for value in found.values()):
        raise invalid("labels", "must be a JSON object of text")
    return list(found.items())


def _by(query: Mapping[str, Any]) -> list[str] | None:
    text = query.get("by")
    return None if text is None else [label for label in text.split(",") if label]


def _step(query: Mapping[str, Any]) -> timedelta | None:
    text = query.get("step", "")
    if not text:
        return None
    match = STEP.fullmatch(text)
    if match is None:
        raise invalid("step", "must be a length such as 60, 5m, 1h or 1d")
    return timedelta(seconds=int(match[1]) * SECONDS[match[2]])
