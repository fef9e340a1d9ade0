"""/monitoring/alerts/channels: where alerts are told."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts import serializers_channels as s
from alerts.choices import DeliveryState
from alerts.models import Channel, Delivery
from alerts.rule_values import Refused
from alerts.services import channels
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import Body, read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once
from opsconsole.api.schema import IDEMPOTENCY_KEY, errors
from opsconsole.audit.reasoned import REASON_LENGTH
from opsconsole.audit.tuned import ChangedMeanwhile

# Seconds that a test's caller waits for what comes of it, and between two looks.
PATIENCE = 5.0
LOOK_AGAIN = 0.1
UNDER_WAY = (DeliveryState.PENDING, DeliveryState.SENDING)


class ChannelsView(APIView):
    @extend_schema(
        operation_id="alert_channels",
        summary="All channels, with the names of their secrets",
        responses={200: s.ChannelPageSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        _may_read(request)
        found = Channel.objects.select_related("fallback")
        return Response({"results": s.ChannelSerializer(found, many=True).data, "next": None})

    @extend_schema(
        operation_id="alert_channel_create",
        summary="Make a channel",
        description="Secrets are encrypted, and never shown again. Needs the role supervisor.",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": s.CreateChannelSerializer},
        responses={201: s.ChannelSerializer, **errors(400, 403, 409, 413, 422)},
        examples=[
            OpenApiExample(
                "telegram",
                request_only=True,
                value={
                    "name": "desk",
                    "kind": "telegram",
                    "settings": {"chat_id": -1001234567890},
                    "secrets": {"token": "123456789:AAE…"},
                    "min_priority": "HIGH",
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        _may_tune(request)
        body = read_body(request)
        values, reason = _values(body)
        name, kind = values.pop("name", None), values.pop("kind", None)

        def create() -> Response:
            with _answering():
                made = channels.create(
                    actor=actor_of(request), name=name, kind=kind, values=values, reason=reason
                )
            return Response(s.ChannelSerializer(made).data, status=201)

        return once(request, operation="alerts.channel_create", body=body.raw, act=create)


class ChannelView(APIView):
    @extend_schema(
        operation_id="alert_channel",
        summary="One channel, and how it does",
        responses={200: s.ChannelSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, name: str) -> Response:
        _may_read(request)
        return _shown(name)

    @extend_schema(
        operation_id="alert_channel_change",
        summary="Change a channel",
        description=(
            "Only the fields given are changed; in `settings` and `secrets` only their members given, and null takes one away. The audit "
            "trail has before and after, and of secrets the names. Needs the role supervisor."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": s.ChangeChannelSerializer},
        responses={200: s.ChannelSerializer, **errors(400, 403, 404, 409, 413, 422)},
    )
    def patch(self, request: Request, name: str) -> Response:
        _may_tune(request)
        body = read_body(request)
        values, reason = _values(body)
        version = f.whole_number(values, "version")
        values.pop("version", None)

        def change() -> Response:
            with _answering():
                channels.change(
                    actor=actor_of(request), name=name, values=values, reason=reason, version=version
                )
            return _shown(name)

        return once(request, operation=f"alerts.channel.{name[:32]}", body=body.raw, act=change)

    @extend_schema(
        operation_id="alert_channel_delete",
        summary="Delete a channel",
        description="What waits for it is cancelled; what it delivered stays in the lists. Needs the role supervisor.",
        request=None,
        responses={204: None, **errors(403, 404)},
    )
    def delete(self, request: Request, name: str) -> Response:
        _may_tune(request)
        with _answering():
            channels.delete(actor=actor_of(request), name=name, reason="")
        return Response(status=204)


class TestChannelView(APIView):
    __test__ = False

    @extend_schema(
        operation_id="alert_channel_test",
        summary="Send a test through a channel",
        description=(
            "Goes the way of every alert. Waits a few seconds for what comes of it: 200 when it was sent or given up, 202 while it is under "
            "way. Needs the role supervisor."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=None,
        responses={
            200: s.ChannelTestedSerializer,
            202: s.ChannelTestedSerializer,
            **errors(403, 404, 409, 422),
        },
    )
    def post(self, request: Request, name: str) -> Response:
        _may_tune(request)
        body = read_body(request)

        def test() -> Response:
            with _answering():
                delivery = channels.test(actor=actor_of(request), name=name, reason="")
            delivery = _outcome(delivery)
            status = 202 if delivery.state in UNDER_WAY else 200
            return Response(s.ChannelTestedSerializer(delivery).data, status=status)

        return once(request, operation=f"alerts.channel_test.{name[:32]}", body=body.raw, act=test)


def _outcome(delivery: Delivery) -> Delivery:
    """The delivery when it has come to an end, has failed once, or PATIENCE is over."""
    end = monotonic() + PATIENCE
    while delivery.state in UNDER_WAY and not delivery.error and monotonic() < end:
        sleep(LOOK_AGAIN)
        delivery.refresh_from_db()
    return delivery


def _values(body: Body) -> tuple[dict[str, Any], str]:
    values = dict(body.or_refuse())
    reason = f.text(values, "reason", longest=REASON_LENGTH)
    values.pop("reason", None)
    return values, reason


def _shown(name: str) -> Response:
    channel = Channel.objects.select_related("fallback").filter(name=name).first()
    if channel is None:
        raise Http404
    return Response(s.ChannelSerializer(channel).data)


@contextmanager
def _answering() -> Iterator[None]:
    """The services' refusals as answers."""
    try:
        yield
    except Channel.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        raise invalid(error.field, error.problem) from None
    except channels.ChannelExists as error:
        raise ApiError(409, "exists", str(error)) from None
    except ChangedMeanwhile as error:
        raise ApiError(409, "changed_meanwhile", str(error), {"version": error.version}) from None


def _may_read(request: Request) -> None:
    require(request, "alerts.view_channel", to="Reading channels", role="viewer")


def _may_tune(request: Request) -> None:
    require(request, "alerts.tune", to="Changing and testing channels", role="supervisor")
