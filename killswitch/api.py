"""/monitoring/kill-switch for people and their programs."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from killswitch import selectors, services
from killswitch import serializers as s
from killswitch.choices import CommandKind
from killswitch.models import Activation
from killswitch.wording import MESSAGE_LENGTH, StopOrder, read_stop
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once, once_or_again
from opsconsole.api.pagination import answer, read_page
from opsconsole.api.schema import CURSOR, IDEMPOTENCY_KEY, LIMIT, errors
from opsconsole.api.shared import Answer

FORM = "application/x-www-form-urlencoded"
BODIES = ("application/json", FORM)


PATH = "/monitoring/kill-switch"


def status_answer() -> Answer:
    """As the view gives it, for all who wait for it."""
    return Answer(200, JSONRenderer().render(s.StatusSerializer(selectors.status()).data))


class StatusView(APIView):
    @extend_schema(
        operation_id="kill_switch",
        summary="The state, and the proof",
        responses={200: s.StatusSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response(s.StatusSerializer(selectors.status()).data)


class ActivateView(APIView):
    @extend_schema(
        operation_id="kill_switch_activate",
        summary="Stop trading, or run a drill",
        description=(
            "Never refused over its wording: an unknown reason, an unreadable scope or a body that is no JSON stops all the same, with "
            "`warnings`. Stopping what is stopped changes nothing (`changed` is false). Needs the role operator, or trading-system."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.ActivateSerializer),
        responses={200: s.ChangedStatusSerializer, **errors(403, 409, 413)},
        examples=[
            OpenApiExample(
                "stop",
                request_only=True,
                value={"reason": "MANUAL", "message": "Emergency halt for system maintenance"},
            ),
            OpenApiExample("drill", request_only=True, value={"message": "Monthly drill", "drill": True}),
        ],
    )
    def post(self, request: Request) -> Response:
        body = read_body(request)
        order = read_stop(body.fields, problems=body.problems, raw=body.raw)
        if order.drill:
            require(request, "killswitch.drill", to="A drill", role="operator")
        else:
            require(request, "killswitch.stop", to="Stopping trading", role="operator")
        return once_or_again(
            request, operation="killswitch.activate", body=body.raw, act=lambda: _activate(request, order)
        )


def _activate(request: Request, order: StopOrder) -> Response:
    try:
        outcome = services.carry_out(actor=actor_of(request), order=order)
    except services.DrillRefused as error:
        raise ApiError(409, "stopped", str(error), {"scope": error.scope}) from None
    return _changed(outcome.activation, changed=outcome.changed, warnings=outcome.warnings)


class DeactivateView(APIView):
    @extend_schema(
        operation_id="kill_switch_deactivate",
        summary="Re-arm",
        description="Processes may trade again with their next lease; nothing is started. Needs the role supervisor.",
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(BODIES, s.DeactivateSerializer),
        responses={200: s.ChangedStatusSerializer, **errors(400, 403, 409, 413, 422)},
        examples=[
            OpenApiExample("re-arm", request_only=True, value={"message": "System maintenance complete"})
        ],
    )
    def post(self, request: Request) -> Response:
        require(request, "killswitch.rearm", to="Re-arming", role="supervisor")
        body = read_body(request)
        fields = body.or_refuse()
        f.refuse_unknown(fields, "message", "scope")
        message = f.text(fields, "message", longest=MESSAGE_LENGTH)
        scope = f.text(fields, "scope", longest=100) or "global"
        return once(
            request,
            operation="killswitch.deactivate",
            body=body.raw,
            act=lambda: _deactivate(request, message=message, scope=scope),
        )


def _deactivate(request: Request, *, message: str, scope: str) -> Response:
    try:
        activation = services.deactivate(actor=actor_of(request), message=message, scope=scope)
    except services.NotActive as error:
        raise ApiError(409, "not_active", str(error), {"scope": error.scope}) from None
    except ValueError as error:
        raise invalid("scope", str(error).removeprefix("scope: ")) from None
    warnings = (
        []
        if message.strip()
        else ["message: none was given; the history will not say why it was safe to re-arm"]
    )
    if activation.stopped_at is None:
        warnings.append("it was not yet proven that every process had stopped")
    return _changed(activation, changed=True, warnings=warnings)


def _changed(activation: Activation, *, changed: bool, warnings: list[str]) -> Response:
    data = s.StatusSerializer(selectors.status()).data
    return Response({"changed": changed, "activation": activation.pk, "warnings": warnings, **data})


class ActivationsView(APIView):
    @extend_schema(
        operation_id="kill_switch_activations",
        summary="The history of stops and drills, newest first",
        parameters=[
            LIMIT,
            CURSOR,
            OpenApiParameter("scope", str, description="Only of this scope."),
            OpenApiParameter("reason", str, description="Only with this reason."),
            OpenApiParameter("drill", bool, description="Only drills, or only stops."),
            OpenApiParameter(
                "search", str, description="In messages, and names of who stopped and re-armed."
            ),
        ],
        responses={200: s.ActivationPageSerializer, **errors(400)},
    )
    def get(self, request: Request) -> Response:
        page, query = read_page(request), request.query_params
        found = selectors.history(
            limit=page.limit,
            before_id=page.before_id,
            scope=f.words(query, "scope", longest=100),
            reason=f.words(query, "reason", longest=100),
            drill=_drill_filter(query.get("drill", "")),
            search=f.words(query, "search", longest=200),
        )
        results = s.ActivationSerializer(found.results, many=True).data
        return answer(results, found.next_id)


def _drill_filter(text: str) -> bool | None:
    if text not in ("", "true", "false"):
        raise invalid("drill", "must be true or false")
    return text == "true" if text else None


class ActivationView(APIView):
    @extend_schema(
        operation_id="kill_switch_activation",
        summary="One stop or drill with all its proofs and commands",
        responses={200: s.ActivationDetailSerializer, **errors(404)},
    )
    def get(self, request: Request, pk: int) -> Response:
        try:
            activation = selectors.activation(pk)
        except Activation.DoesNotExist:
            raise Http404 from None
        return Response(s.ActivationDetailSerializer(activation).data)


class ClientsView(APIView):
    @extend_schema(
        operation_id="kill_switch_clients",
        summary="The trading processes, each with its proof",
        responses={200: s.ClientPageSerializer, **errors()},
    )
    def get(self, request: Request) -> Response:
        return Response(
            {"results": s.ProofSerializer(selectors.status().clients, many=True).data, "next": None}
        )


class CommandsView(APIView):
    @extend_schema(
        operation_id="kill_switch_commands",
        summary="The newest commands and their results",
        parameters=[LIMIT],
        responses={200: s.CommandPageSerializer, **errors(400)},
    )
    def get(self, request: Request) -> Response:
        commands = selectors.recent_commands(limit=read_page(request).limit)
        return Response({"results": s.CommandSerializer(commands, many=True).data, "next": None})

    @extend_schema(
        operation_id="kill_switch_command",
        summary="Cancel open orders, or close positions",
        description="Reaches each process by its stream; what came of it is in the list of commands. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": s.IssueCommandSerializer},
        responses={200: s.CommandSerializer, **errors(400, 403, 409, 413, 422)},
        examples=[OpenApiExample("cancel all", request_only=True, value={"kind": "cancel_orders"})],
    )
    def post(self, request: Request) -> Response:
        require(request, "killswitch.command", to="Cancelling orders and closing positions", role="operator")
        body = read_body(request)
        fields = body.or_refuse()
        f.refuse_unknown(fields, "kind", "clients", "message")
        if fields.get("kind") not in CommandKind.values:
            raise invalid("kind", f"must be one of {', '.join(CommandKind.values)}")
        wanted: dict[str, Any] = {
            "kind": CommandKind(fields["kind"]),
            "client_ids": f.whole_numbers(fields, "clients"),
            "reason": f.text(fields, "message", longest=MESSAGE_LENGTH),
        }
        return once(
            request, operation="killswitch.command", body=body.raw, act=lambda: _issue(request, wanted)
        )


def _issue(request: Request, wanted: dict[str, Any]) -> Response:
    try:
        command = services.issue_command(actor=actor_of(request), **wanted)
    except services.NoTargets as error:
        raise ApiError(409, "not_connected", str(error), {"clients": error.missing}) from None
    return Response(s.CommandSerializer(command).data)
