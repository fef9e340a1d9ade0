"""/monitoring/circuit-breakers: what operators tell them. Each answers when every process has applied it, or patience is over."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from time import monotonic, sleep
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api_fields import moment
from monitoring.breakers import selectors, services
from monitoring.breakers import serializers as s
from monitoring.breakers.api import unknown
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once
from opsconsole.api.schema import IDEMPOTENCY_KEY, errors
from opsconsole.audit.reasoned import REASON_LENGTH

BODIES = ("application/json", "application/x-www-form-urlencoded")
LONGEST_HOLD = timedelta(days=30)
# Seconds to wait until every process has applied a command, and between two looks.
PATIENCE, PAUSE = 1.0, 0.02

Act = Callable[..., services.Outcome]


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
        return _told(request, "reset", _why, services.reset, name=name)


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
        return _told(request, "reset_all", _why, services.reset_all)


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
        return _told(request, "force_open", _hold, services.force_open, name=name)


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
        return _told(request, "force_close", _hold, services.force_close, name=name)


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
        return _told(request, "release", _why, services.release, name=name)


def _may_force(request: Request) -> None:
    require(request, "monitoring.force_circuitbreaker", to="Holding circuit breakers", role="operator")


def _told(
    request: Request, operation: str, read: Callable[[Mapping[str, Any]], dict[str, Any]], act: Act, **of: str
) -> Response:
    """`read`: what the service is to know, of the fields; `of`: which breaker, by its name."""
    body = read_body(request)
    wanted = read(body.or_refuse())

    def carry_out() -> Response:
        try:
            return _answer(act(actor=actor_of(request), **of, **wanted))
        except services.UnknownBreaker as error:
            raise unknown(error) from None
        except services.NotHeld as error:
            raise ApiError(409, "not_held", str(error), {"name": error.name}) from None

    asked = "\n".join([*of.values(), body.raw])
    return once(request, operation=f"breakers.{operation}", body=asked, act=carry_out)


def _why(fields: Mapping[str, Any]) -> dict[str, Any]:
    f.refuse_unknown(fields, "reason")
    return {"reason": f.text(fields, "reason", longest=REASON_LENGTH)}


def _hold(fields: Mapping[str, Any]) -> dict[str, Any]:
    """A reason, and when it ends: by itself, or never."""
    f.refuse_unknown(fields, "reason", "expires_in", "until")
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
