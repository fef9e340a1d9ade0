"""/monitoring/circuit-breakers for people and their programs: what there is to read."""

from datetime import datetime

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api_fields import moment, one_of
from monitoring.breakers import selectors, services
from monitoring.breakers import serializers as s
from monitoring.breakers.choices import State
from monitoring.breakers.models import NAME_LENGTH, CircuitBreaker
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.errors import ApiError
from opsconsole.api.pagination import answer, read_limit, read_page
from opsconsole.api.schema import CURSOR, LIMIT, errors

COMMANDS_SHOWN = 10


def may_read(request: Request) -> None:
    require(request, "monitoring.view_circuitbreaker", to="Reading circuit breakers", role="viewer")


def unknown(error: services.UnknownBreaker) -> ApiError:
    return ApiError(404, "not_found", str(error), {"nearest": error.nearest})


class BreakersView(APIView):
    @extend_schema(
        operation_id="circuit_breakers",
        summary="All circuit breakers, by name",
        description="The state of each is the worst of the processes that are connected, or were heard of within 30 s.",
        parameters=[
            LIMIT,
            CURSOR,
            OpenApiParameter("state", str, enum=s.STATES, description="Only those in this state."),
            OpenApiParameter("search", str, description="Part of the name."),
        ],
        responses={200: s.BreakerPageSerializer, **errors(400, 403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        query = request.query_params
        found = selectors.overview(
            now=timezone.now(),
            state=one_of(query, "state", s.STATES),
            search=f.words(query, "search", longest=NAME_LENGTH),
            limit=read_limit(request),
            after=f.words(query, "cursor", longest=NAME_LENGTH),
        )
        results = s.BreakerSerializer(found.results, many=True).data
        return answer(results, found.next_name)


class BreakerView(APIView):
    @extend_schema(
        operation_id="circuit_breaker",
        summary="One circuit breaker, with its processes and commands",
        description="A slash in a name is written %2F. An unknown name is 404 with the nearest names in `details`.",
        responses={200: s.BreakerDetailSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        may_read(request)
        now = timezone.now()
        view = _found(name, now)
        return Response(
            {
                **s.BreakerSerializer(view).data,
                "clients": s.ProcessSerializer(selectors.processes(view.id, now=now), many=True).data,
                "commands": s.CommandSerializer(
                    selectors.commands(view.id, limit=COMMANDS_SHOWN), many=True
                ).data,
            }
        )


class TransitionsView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_transitions",
        summary="Its changes of state, newest first",
        description="By the times at which they happened in their processes; one that was told late comes in its place.",
        parameters=[
            LIMIT,
            CURSOR,
            OpenApiParameter("to", str, enum=State.values, description="Only those that led to this state."),
            OpenApiParameter("client", str, description="Only of this client."),
            OpenApiParameter("since", datetime, description="Not before this time."),
            OpenApiParameter("until", datetime, description="Before this time."),
        ],
        responses={200: s.TransitionPageSerializer, **errors(400, 403, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        may_read(request)
        page, query = read_page(request), request.query_params
        found = selectors.transitions(
            breaker_id=_known(name).pk,
            limit=page.limit,
            before_id=page.before_id,
            to=one_of(query, "to", State.values),
            client=f.words(query, "client", longest=64),
            since=moment(query, "since"),
            until=moment(query, "until"),
        )
        results = s.TransitionSerializer(found.results, many=True).data
        return answer(results, found.next_id)


def _known(name: str) -> CircuitBreaker:
    found = CircuitBreaker.objects.filter(name=name).first()
    if found is None:
        raise unknown(services.UnknownBreaker(name))
    return found


def _found(name: str, now: datetime) -> selectors.BreakerView:
    try:
        return selectors.breaker(name, now=now)
    except CircuitBreaker.DoesNotExist:
        raise unknown(services.UnknownBreaker(name)) from None
