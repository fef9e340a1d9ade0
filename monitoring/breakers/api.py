"""/monitoring/circuit-breakers for people and their programs."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api_fields import moment, one_of
from monitoring.breakers import selectors, services
from monitoring.breakers import serializers as s
from monitoring.breakers.choices import State
from monitoring.breakers.models import NAME_LENGTH, CircuitBreaker
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once
from opsconsole.api.pagination import answer, read_limit, read_page
from opsconsole.api.schema import CURSOR, IDEMPOTENCY_KEY, LIMIT, errors
from opsconsole.audit.reasoned import REASON_LENGTH

BODIES = ("application/json", "application/x-www-form-urlencoded")
LONGEST_HOLD = timedelta(days=30)
# Seconds to wait until every process has applied a command, and between two looks.
PATIENCE, PAUSE = 1.0, 0.02
COMMANDS_SHOWN = 10

Act = Callable[..., services.Outcome]


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


class ResetView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_reset",
        summary="Close it in every process",
        description=(
            "With empty windows and counts, whatever it was. A hold stays. Answers when every process has applied it, or after a second, with how "
            "many have. Needs the role operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.ReasonSerializer),
        responses={200: s.ToldSerializer, **errors(400, 403, 404, 409, 413, 422)},
        examples=[OpenApiExample("reset", request_only=True, value={"reason": "The service is back"})],
    )
    def post(self, request: Request, name: str) -> Response:
        require(request, "monitoring.reset_circuitbreaker", to="Resetting circuit breakers", role="operator")
        return _told(
            request, "reset", name, lambda fields: {"reason": _reason(fields)}, services.reset, "reason"
        )


class ResetAllView(APIView):
    @extend_schema(
        operation_id="circuit_breakers_reset_all",
        summary="Close all of them in every process",
        description="As for one, with one version for all. Holds stay. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.ReasonSerializer),
        responses={200: s.ToldAllSerializer, **errors(400, 403, 409, 413, 422)},
    )
    def post(self, request: Request) -> Response:
        require(request, "monitoring.reset_circuitbreaker", to="Resetting circuit breakers", role="operator")
        body = read_body(request)
        fields = body.or_refuse()
        f.refuse_unknown(fields, "reason")
        reason = _reason(fields)
        return once(
            request,
            operation="breakers.reset_all",
            body=body.raw,
            act=lambda: _answer(services.reset_all(actor=actor_of(request), reason=reason)),
        )


class ForceOpenView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_force_open",
        summary="Hold it open: reject every call",
        description="Until it is released, or its time is over. Needs a reason, and the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.ForceSerializer),
        responses={200: s.ToldSerializer, **errors(400, 403, 404, 409, 413, 422)},
        examples=[
            OpenApiExample("an hour", request_only=True, value={"reason": "Bad prices", "expires_in": 3600})
        ],
    )
    def post(self, request: Request, name: str) -> Response:
        _may_force(request)
        return _told(request, "force_open", name, _hold, services.force_open, *HOLD)


class ForceCloseView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_force_close",
        summary="Hold it closed: let every call through",
        description="It counts on, and never opens, until it is released or its time is over. Needs a reason, and the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.ForceSerializer),
        responses={200: s.ToldSerializer, **errors(400, 403, 404, 409, 413, 422)},
    )
    def post(self, request: Request, name: str) -> Response:
        _may_force(request)
        return _told(request, "force_close", name, _hold, services.force_close, *HOLD)


class ReleaseView(APIView):
    @extend_schema(
        operation_id="circuit_breaker_release",
        summary="Leave it to its processes again",
        description="409 when nobody holds it. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.ReasonSerializer),
        responses={200: s.ToldSerializer, **errors(400, 403, 404, 409, 413, 422)},
    )
    def post(self, request: Request, name: str) -> Response:
        _may_force(request)
        return _told(
            request, "release", name, lambda fields: {"reason": _reason(fields)}, services.release, "reason"
        )


HOLD = ("reason", "expires_in", "until")


def _may_force(request: Request) -> None:
    require(request, "monitoring.force_circuitbreaker", to="Holding circuit breakers", role="operator")


def _told(
    request: Request,
    operation: str,
    name: str,
    read: Callable[[Mapping[str, Any]], dict[str, Any]],
    act: Act,
    *allowed: str,
) -> Response:
    body = read_body(request)
    fields = body.or_refuse()
    f.refuse_unknown(fields, *allowed)
    wanted = read(fields)

    def carry_out() -> Response:
        try:
            return _answer(act(actor=actor_of(request), name=name, **wanted))
        except services.UnknownBreaker as error:
            raise unknown(error) from None
        except services.NotHeld as error:
            raise ApiError(409, "not_held", str(error), {"name": error.name}) from None

    return once(request, operation=f"breakers.{operation}", body=f"{name}\n{body.raw}", act=carry_out)


def _reason(fields: Mapping[str, Any]) -> str:
    return f.text(fields, "reason", longest=REASON_LENGTH)


def _hold(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A reason, and when it ends: by itself, or never."""
    now = timezone.now()
    reason = f.text(fields, "reason", longest=REASON_LENGTH, needed=True)
    until = moment(fields, "until")
    seconds = _seconds(fields.get("expires_in"))
    if seconds is not None:
        if until is not None:
            raise invalid("expires_in", "must be left out where `until` is given")
        until = now + timedelta(seconds=seconds)
    if until is not None and not now < until <= now + LONGEST_HOLD:
        raise invalid("until", f"must lie ahead, at most {LONGEST_HOLD.days} days")
    return {"reason": reason, "until": until}


def _seconds(value: Any) -> int | None:
    """A form sends a text."""
    if value in (None, ""):
        return None
    most = int(LONGEST_HOLD.total_seconds())
    number = (
        int(value)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10
        else value
    )
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise invalid("expires_in", f"must be a whole number of seconds from 1 to {most}")
    return number


def _answer(outcome: services.Outcome) -> Response:
    progress = _awaited(outcome.command.pk)
    told = {
        "command": outcome.command.pk,
        "applied": progress.applied,
        "of": progress.of,
        "waiting": progress.waiting,
        "warnings": outcome.warnings,
    }
    now = timezone.now()
    if outcome.breaker is None:
        states = selectors.counts(now=now)
        return Response({"version": outcome.command.version, "states": states, **told})
    view = selectors.breaker(outcome.breaker.name, now=now)
    return Response({**s.BreakerSerializer(view).data, **told})


def _awaited(command_id: int) -> selectors.Progress:
    """When every process has applied it, or patience is over."""
    end = monotonic() + PATIENCE
    while True:
        progress = selectors.progress(command_id)
        if progress.applied == progress.of or monotonic() >= end:
            return progress
        sleep(PAUSE)


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
