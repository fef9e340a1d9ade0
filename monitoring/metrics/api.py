"""POST /monitoring/metrics/push: what trading processes report."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.metrics.batches import Fault, InvalidBatch, decode
from monitoring.metrics.ingest import NothingUsable, ingest
from monitoring.metrics.serializers_pushing import PushedSerializer, PushSerializer
from opsconsole.api.access import require
from opsconsole.api.body import raw_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.schema import ErrorSerializer, errors

LIMIT = 1024 * 1024

BATCH = OpenApiExample(
    "batch",
    request_only=True,
    value={
        "batch_id": "5f0c6c1e3e6b4b0f9a6d1d7f0b8f3c11",
        "client": "AAPL",
        "sent_at": "2026-11-25T15:04:05.123Z",
        "series": [
            {
                "name": "trades_total",
                "labels": {"ticker": "AAPL", "side": "BUY", "status": "filled"},
                "inc": 3,
            },
            {"name": "portfolio_value_usd", "set": 103500.25},
            {
                "name": "signal_confidence",
                "labels": {"signal": "BUY"},
                "histogram": {"count": 2, "sum": 1.45, "buckets": [0, 0, 0, 0, 0, 0, 1, 1, 0, 0, 0]},
            },
        ],
    },
)
ANSWER = OpenApiExample(
    "one was rejected",
    response_only=True,
    status_codes=["200"],
    value={
        "accepted": 2,
        "rejected": [
            {
                "index": 0,
                "name": "trades_total",
                "error": "inc: must not be negative; a counter only grows",
            }
        ],
    },
)


class PushView(APIView):
    @extend_schema(
        operation_id="metrics_push",
        summary="Report metrics",
        description=(
            "What a trading process counted since the batch before. Good series are kept even if others are rejected; 400 when nothing is usable. "
            "A batch id that was seen before (within a week) changes nothing and gets the same answer: send a batch until it is answered. "
            f"At most {LIMIT} bytes."
        ),
        request={"application/json": PushSerializer},
        responses={
            200: PushedSerializer,
            **errors(400, 403),
            413: OpenApiResponse(ErrorSerializer, description="The body is longer than 1 MiB."),
        },
        examples=[BATCH, ANSWER],
    )
    def post(self, request: Request) -> Response:
        require(request, "monitoring.push_metrics", to="Pushing metrics", role="trading-system")
        try:
            result = ingest(decode(raw_body(request, limit=LIMIT)), now=timezone.now())
        except InvalidBatch as error:
            raise invalid(error.field, error.problem) from None
        except NothingUsable as error:
            raise ApiError(400, "invalid", str(error), {"rejected": _listed(error.rejected)}) from None
        return Response({"accepted": result.accepted, "rejected": _listed(result.rejected)})


def _listed(faults: list[Fault]) -> list[dict[str, Any]]:
    return [{"index": fault.index, "name": fault.name, "error": fault.error} for fault in faults]
