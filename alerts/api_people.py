"""POST /monitoring/alerts/{id}/…: who owns an alert, and when it is over."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts.api_fields import moment
from alerts.models import Alert
from alerts.serializers import AlertSerializer
from alerts.services import owning
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.models import User
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once
from opsconsole.api.schema import IDEMPOTENCY_KEY, errors

MOST_MINUTES = int(owning.LONGEST / timedelta(minutes=1))


class AcknowledgeAlertSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, allow_blank=True, max_length=owning.NOTE_LENGTH)
    until = serializers.DateTimeField(required=False, help_text="When it is due again; never when left out.")
    minutes = serializers.IntegerField(required=False, help_text="The same, counted from now.")


class UnacknowledgeAlertSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=owning.NOTE_LENGTH)


class ResolveAlertSerializer(serializers.Serializer[Any]):
    note = serializers.CharField(required=False, allow_blank=True, max_length=owning.NOTE_LENGTH)


class AssignAlertSerializer(serializers.Serializer[Any]):
    user = serializers.CharField(allow_null=True, help_text="A username; null: nobody's.")
    note = serializers.CharField(required=False, allow_blank=True, max_length=owning.NOTE_LENGTH)


class OwnedAlertSerializer(serializers.Serializer[Any]):
    changed = serializers.BooleanField(help_text="False: it was so already.")
    alert = AlertSerializer()


Act = Callable[[], owning.Owned]


def _carry_out(request: Request, *, operation: str, prepare: Callable[[Mapping[str, Any]], Act]) -> Response:
    """Read the body, then act once for each Idempotency-Key. `prepare` refuses what is wrong with the fields."""
    require(
        request, "alerts.acknowledge", to="Acknowledging, resolving and assigning alerts", role="operator"
    )
    body = read_body(request)
    act = prepare(body.or_refuse())
    return once(request, operation=operation, body=body.raw, act=lambda: _answer(act))


def _answer(act: Act) -> Response:
    try:
        owned = act()
    except Alert.DoesNotExist:
        raise Http404 from None
    except owning.NotFiring as error:
        raise ApiError(409, "resolved", str(error), {"id": error.alert.pk}) from None
    except ValueError as error:
        name, _, problem = str(error).partition(": ")
        raise invalid(name, problem) from None
    told = OwnedAlertSerializer(
        {"changed": owned.changed, "alert": owned.alert}, context={"now": timezone.now()}
    )
    return Response(told.data)


class AcknowledgeView(APIView):
    @extend_schema(
        operation_id="alert_acknowledge",
        summary="Own an alert",
        description=(
            "Nothing is escalated any more. With `until` (or `minutes`) it is due again then. An alert that somebody else owns becomes "
            "yours. Needs the role operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": AcknowledgeAlertSerializer},
        responses={200: OwnedAlertSerializer, **errors(400, 403, 404, 409, 413, 422)},
        examples=[
            OpenApiExample("an hour", request_only=True, value={"note": "looking at it", "minutes": 60})
        ],
    )
    def post(self, request: Request, pk: int) -> Response:
        def prepare(fields: Mapping[str, Any]) -> Act:
            f.refuse_unknown(fields, "note", "until", "minutes")
            note, now = f.text(fields, "note", longest=owning.NOTE_LENGTH), timezone.now()
            until = _until(fields, now=now)
            actor = actor_of(request)
            return lambda: owning.acknowledge(actor=actor, alert_id=pk, note=note, until=until, now=now)

        return _carry_out(request, operation=f"alerts.acknowledge:{pk}", prepare=prepare)


class UnacknowledgeView(APIView):
    @extend_schema(
        operation_id="alert_unacknowledge",
        summary="Let go of an alert",
        description="It is due as before, and escalated when nobody owns it. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": UnacknowledgeAlertSerializer},
        responses={200: OwnedAlertSerializer, **errors(400, 403, 404, 409, 413, 422)},
    )
    def post(self, request: Request, pk: int) -> Response:
        def prepare(fields: Mapping[str, Any]) -> Act:
            f.refuse_unknown(fields, "reason")
            reason, actor = f.text(fields, "reason", longest=owning.NOTE_LENGTH), actor_of(request)
            return lambda: owning.unacknowledge(actor=actor, alert_id=pk, reason=reason)

        return _carry_out(request, operation=f"alerts.unacknowledge:{pk}", prepare=prepare)


class ResolveView(APIView):
    @extend_schema(
        operation_id="alert_resolve",
        summary="End an alert",
        description=(
            "Whoever was told of it is told that it is over. When it is raised again, that is a new one. Needs the role operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": ResolveAlertSerializer},
        responses={200: OwnedAlertSerializer, **errors(400, 403, 404, 413, 422)},
    )
    def post(self, request: Request, pk: int) -> Response:
        def prepare(fields: Mapping[str, Any]) -> Act:
            f.refuse_unknown(fields, "note")
            note, actor = f.text(fields, "note", longest=owning.NOTE_LENGTH), actor_of(request)
            return lambda: owning.resolve(actor=actor, alert_id=pk, note=note)

        return _carry_out(request, operation=f"alerts.resolve:{pk}", prepare=prepare)


class AssignView(APIView):
    @extend_schema(
        operation_id="alert_assign",
        summary="Say whose an alert is",
        description="It stays due until somebody acknowledges it. Needs the role operator.",
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": AssignAlertSerializer},
        responses={200: OwnedAlertSerializer, **errors(400, 403, 404, 409, 413, 422)},
    )
    def post(self, request: Request, pk: int) -> Response:
        def prepare(fields: Mapping[str, Any]) -> Act:
            f.refuse_unknown(fields, "user", "note")
            note, actor = f.text(fields, "note", longest=owning.NOTE_LENGTH), actor_of(request)
            user_id = _user_id(fields)
            return lambda: owning.assign(actor=actor, alert_id=pk, user_id=user_id, note=note)

        return _carry_out(request, operation=f"alerts.assign:{pk}", prepare=prepare)


def _until(fields: Mapping[str, Any], *, now: datetime) -> datetime | None:
    until, minutes = moment(fields, "until"), f.whole_number(fields, "minutes", most=MOST_MINUTES)
    if until is not None and minutes is not None:
        raise invalid("minutes", "must be left out when until is given")
    return until if minutes is None else now + timedelta(minutes=minutes)


def _user_id(fields: Mapping[str, Any]) -> int | None:
    if "user" not in fields:
        raise invalid("user", "must be a username, or null for nobody")
    name = f.text(fields, "user", longest=150)
    if not name:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise invalid("user", "must be the username of an account that may acknowledge alerts, or null")
    return user.pk
