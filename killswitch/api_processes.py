"""/monitoring/kill-switch for trading processes: docs/protocol.md."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from killswitch import serializers as s
from killswitch import services
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.schema import errors

PERMISSION = "killswitch.connect_tradingclient"
INTEGER = 2**31 - 1
STATES = ("local_stop", "override")
COUNTS = ("cancelled", "left", "unknown")


class AcknowledgeView(APIView):
    @extend_schema(
        operation_id="kill_switch_acknowledge",
        summary="A process allows no order of these stops any more",
        request={"application/json": s.AcknowledgeSerializer},
        responses={200: s.AcknowledgedSerializer, **errors(400, 403, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        name, instance, fields = _process(request)
        epoch, activations = (
            f.whole_number(fields, "epoch"),
            f.whole_numbers(fields, "activations", longest=100),
        )
        if epoch is None:
            raise invalid("epoch", "is missing")
        if activations is None:
            raise invalid("activations", "is missing")
        try:
            done = services.acknowledge(
                actor=actor_of(request), name=name, instance=instance, epoch=epoch, activations=activations
            )
        except services.UnknownClient as error:
            raise _unknown(error) from None
        return Response({"acknowledged": done.acknowledged, "unknown": done.unknown})


class ReportView(APIView):
    @extend_schema(
        operation_id="kill_switch_report",
        summary="What a process tells of itself",
        request={"application/json": s.ReportSerializer},
        responses={200: s.EmptySerializer, **errors(400, 403, 409, 413)},
    )
    def post(self, request: Request) -> Response:
        name, instance, fields = _process(request)
        report = services.Report(
            callbacks=[_callback(item) for item in f.mappings(fields, "callbacks")],
            exposure=_exposure(f.mapping(fields, "exposure")),
            commands=[_result(item) for item in f.mappings(fields, "commands")],
            states={state: f.mapping(fields, state, longest=20) for state in STATES if state in fields},
            closing="closing" in fields and f.flag(fields, "closing"),
        )
        try:
            services.report(actor=actor_of(request), name=name, instance=instance, report=report)
        except services.UnknownClient as error:
            raise _unknown(error) from None
        return Response({})


def _process(request: Request) -> tuple[str, str, Mapping[str, Any]]:
    require(request, PERMISSION, to="Speaking for a trading process", role="trading-system")
    fields = read_body(request).or_refuse()
    name = f.text(fields, "name", longest=64, needed=True)
    return name.strip(), f.text(fields, "instance", longest=32, needed=True).lower(), fields


def _unknown(error: services.UnknownClient) -> ApiError:
    return ApiError(409, "unknown_client", str(error), {"name": error.name, "instance": error.instance})


def _callback(item: Mapping[str, Any]) -> Mapping[str, Any]:
    ms = item.get("ms")
    if ms is not None and (isinstance(ms, bool) or not isinstance(ms, int | float)):
        raise invalid("callbacks.ms", "must be a number or null")
    return {
        # Null: of a stop that only this process knows, such as by its halt file.
        "activation": f.whole_number(item, "activation"),
        "name": f.text(item, "name", longest=1000, needed=True),
        "ok": f.flag(item, "ok"),
        "ms": ms,
        "error": None if item.get("error") is None else f.text(item, "error", longest=20_000),
        # Of `cancel_orders` and `close_positions` that ran by themselves.
        **{name: f.whole_number(item, name, most=INTEGER) for name in COUNTS if name in item},
    }


def _exposure(item: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if item is None:
        return None
    return {
        "open_orders": f.whole_number(item, "open_orders", most=INTEGER),
        "positions": f.mapping(item, "positions"),
        "last_order": f.text(item, "last_order", longest=2000),
    }


def _result(item: Mapping[str, Any]) -> Mapping[str, Any]:
    command = f.whole_number(item, "id")
    if command is None:
        raise invalid("commands.id", "is missing")
    counts = {name: f.whole_number(item, name, most=INTEGER) for name in COUNTS}
    return {"id": command, "ok": f.flag(item, "ok"), "error": f.text(item, "error", longest=20_000), **counts}
