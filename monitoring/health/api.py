"""/monitoring/health and /monitoring/system: what is well, what is not, since when, and how old that knowledge is."""

import difflib
from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.health import answers, asking, selectors, system
from monitoring.health import serializers as s
from monitoring.health.info import system_info
from monitoring.health.models import HealthChange
from opsconsole.api.access import require
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.schema import errors

SHOWN_CHANGES = 20
NEAREST = 5

EXAMPLE = OpenApiExample(
    "an excerpt",
    response_only=True,
    value={
        "status": "healthy",
        "timestamp": "2026-11-24T10:30:00Z",
        "components": [
            {
                "name": "Redis",
                "status": "healthy",
                "message": "Redis is operational",
                "response_time_ms": 1.23,
                "last_check": "2026-11-24T10:29:57Z",
                "age_seconds": 3.0,
                "stale": False,
            }
        ],
        "system_resources": {"cpu_percent": 23.5, "memory_percent": 58.2, "disk_free_gb": 280.6},
    },
)


def may_read(request: Request) -> None:
    require(request, answers.PERMISSION, to="Reading health", role="viewer")


class HealthView(APIView):
    @extend_schema(
        operation_id="health",
        summary="All components, with the age of what is known of each",
        description=(
            "From stored results. A result that is older than three intervals is `unknown`, never green. `refresh=true` looks at everything first "
            "that was not looked at within 5 s; it takes as long as the slowest check may. 503 with the same body when the whole is unhealthy."
        ),
        parameters=[OpenApiParameter("refresh", bool, description="Look now.")],
        responses={
            200: s.HealthSerializer,
            **errors(400, 403),
            503: OpenApiResponse(
                s.HealthSerializer, description="Unhealthy; or the error body while the database is away."
            ),
        },
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        if _wants_refresh(request):
            asking.look()
        found = selectors.board()
        return Response(answers.whole(found), status=answers.http_status(found))


class HealthSummaryView(APIView):
    @extend_schema(
        operation_id="health_summary",
        summary="Health in a few lines",
        responses={200: s.HealthSummarySerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(answers.summary(selectors.board()))


class ComponentView(APIView):
    @extend_schema(
        operation_id="health_component",
        summary="One component with its newest changes",
        description="By slug or printed name, in any case: `redis`, `Disk Space`. 404 names those that there are.",
        responses={200: s.ComponentDetailSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        may_read(request)
        found = selectors.board()
        component = found.named(name)
        if component is None:
            raise _unknown(name, found)
        changes = selectors.changes(component=component.row, limit=SHOWN_CHANGES)
        return Response(answers.component(component) | {"changes": [_change(change) for change in changes]})


class SystemStatusView(APIView):
    @extend_schema(
        operation_id="system_status",
        summary="One word for the whole, and why",
        description=(
            "`halted`: trading is stopped everywhere. `down`: something essential is unhealthy. `degraded`: something is the matter, as `why` "
            "says. `operational`: nothing is, and nobody is needed."
        ),
        responses={200: s.SystemStatusSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(system.as_json(system.status()))


class SystemInfoView(APIView):
    @extend_schema(
        operation_id="system_info",
        summary="Versions, processes and servers",
        responses={200: s.SystemInfoSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(system_info())


def _wants_refresh(request: Request) -> bool:
    text = request.query_params.get("refresh", "")
    if text not in ("", "true", "false"):
        raise invalid("refresh", "must be true or false")
    return text == "true"


def _unknown(name: str, found: selectors.Board) -> ApiError:
    slugs = [one.row.slug for one in found.components]
    nearest = difflib.get_close_matches(name.casefold(), slugs, n=NEAREST)
    details: dict[str, Any] = {"name": name[:100], "known": slugs, "nearest": nearest}
    return ApiError(404, "not_found", f"There is no component {name[:100]!r}.", details)


def _change(change: HealthChange) -> dict[str, Any]:
    return {
        "at": answers.moment(change.at),
        "before": change.before,
        "after": change.after,
        "message": change.message,
        "lasted_seconds": change.lasted_seconds,
    }
