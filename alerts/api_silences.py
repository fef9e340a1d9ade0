"""/monitoring/alerts/silences: what is not sent for a while."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts import serializers_rules as s
from alerts.api_fields import checking, moment, one_of, refused
from alerts.api_rules import may_read
from alerts.matching import Matcher, parse_filter, parse_matchers
from alerts.models import Silence
from alerts.services import silencing
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import Body, read_body
from opsconsole.api.errors import invalid
from opsconsole.api.idempotency import once
from opsconsole.api.pagination import LARGEST_PAGE, PAGE
from opsconsole.api.schema import CURSOR, IDEMPOTENCY_KEY, LIMIT, errors

STATES = ("active", "pending", "expired")
COMMENT_LENGTH = 2000
# A year of minutes.
LONGEST_MINUTES = 525_600
FIELDS = ("matchers", "starts_at", "ends_at", "minutes", "comment")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PLACE = re.compile(r"([0-9]{1,18})-([0-9a-f]{32})")
EXAMPLE = {"matchers": ["symbol=AAPL", "alertname=~Volatility.*"], "minutes": 60, "comment": "Earnings call"}


class SilencesView(APIView):
    @extend_schema(
        operation_id="alert_silences",
        summary="Silences, the one that ends last first",
        parameters=[
            LIMIT,
            CURSOR,
            OpenApiParameter("state", str, enum=STATES, description="Only these; all when left out."),
        ],
        responses={200: s.SilencePageSerializer, **errors(400, 403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        query = request.query_params
        now = timezone.now()
        rows = Silence.objects.filter(
            _of_state(one_of(query, "state", STATES), now), _after(query.get("cursor"))
        )
        limit = _limit(query.get("limit"))
        found = list(rows.select_related("owner").order_by("-ends_at", "-pk")[: limit + 1])
        results = s.SilenceSerializer(found[:limit], many=True, context={"now": now}).data
        return Response(
            {"results": results, "next": _place(found[limit - 1]) if len(found) > limit else None}
        )

    @extend_schema(
        operation_id="alert_silence_create",
        summary="Silence what matches",
        description=(
            "All matchers must match. Each is a text such as `symbol=AAPL`, `symbol!=AAPL`, `alertname=~Vol.*`, `alertname!~Vol.*`, or "
            "an object as Alertmanager has it. The end is `ends_at`, or `minutes` after the start. Needs the role operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": s.SilenceRequestSerializer},
        responses={201: s.SilenceSerializer, **errors(400, 403, 413, 422)},
        examples=[OpenApiExample("an hour", request_only=True, value=EXAMPLE)],
    )
    def post(self, request: Request) -> Response:
        body = _may_silence(request)
        wanted = _values(body.or_refuse(), now=timezone.now())
        return once(request, operation="alerts.silence", body=body.raw, act=lambda: _create(request, wanted))


class SilenceView(APIView):
    @extend_schema(
        operation_id="alert_silence",
        summary="One silence",
        responses={200: s.SilenceSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, silence_id: UUID) -> Response:
        may_read(request)
        return Response(_data(_found(silence_id)))

    @extend_schema(
        operation_id="alert_silence_change",
        summary="Change a silence",
        description=(
            "Fields left out stay. A change that would rewrite what the silence did so far (other matchers, another start) ends it and "
            "makes a new one with an id of its own, as in Alertmanager. Needs the role operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": s.ChangeSilenceSerializer},
        responses={200: s.SilenceSerializer, **errors(400, 403, 404, 413, 422)},
    )
    def patch(self, request: Request, silence_id: UUID) -> Response:
        body = _may_silence(request)
        wanted = _values(body.or_refuse(), now=timezone.now(), old=_found(silence_id))
        return once(
            request,
            operation=f"alerts.silence.{silence_id}",
            body=body.raw,
            act=lambda: _change(request, silence_id, wanted),
        )

    @extend_schema(
        operation_id="alert_silence_expire",
        summary="End a silence now",
        description="It stays in the list as expired. One that is over already stays as it is (`changed` is false). Needs the role operator.",
        request={"application/json": s.ReasonSerializer},
        responses={200: s.ExpiredSilenceSerializer, **errors(400, 403, 404, 413)},
    )
    def delete(self, request: Request, silence_id: UUID) -> Response:
        fields = _may_silence(request).or_refuse()
        f.refuse_unknown(fields, "reason")
        reason = f.text(fields, "reason", longest=COMMENT_LENGTH)
        try:
            changed = silencing.expire(actor=actor_of(request), silence_id=silence_id, reason=reason)
        except silencing.UnknownSilence:
            raise Http404 from None
        return Response({"changed": changed, **_data(_found(silence_id))})


def _may_silence(request: Request) -> Body:
    require(request, "alerts.silence", to="Silencing alerts", role="operator")
    return read_body(request)


def _found(silence_id: UUID) -> Silence:
    silence = Silence.objects.select_related("owner").filter(pk=silence_id).first()
    if silence is None:
        raise Http404
    return silence


def _data(silence: Silence) -> Mapping[str, Any]:
    return s.SilenceSerializer(silence, context={"now": timezone.now()}).data


def _create(request: Request, wanted: Mapping[str, Any]) -> Response:
    with checking():
        silence = silencing.create(actor=actor_of(request), **wanted)
    return Response(_data(silence), status=201)


def _change(request: Request, silence_id: UUID, wanted: Mapping[str, Any]) -> Response:
    try:
        with checking():
            silence = silencing.update(actor=actor_of(request), silence_id=silence_id, **wanted)
    except silencing.UnknownSilence:
        raise Http404 from None
    return Response(_data(silence))


# What a silence is to be


def _values(fields: Mapping[str, Any], *, now: datetime, old: Silence | None = None) -> dict[str, Any]:
    """As the service takes them. What is missing is the old silence's; without one it starts now."""
    f.refuse_unknown(fields, *FIELDS)
    starts_at = moment(fields, "starts_at") or (old.starts_at if old else now)
    comment = f.text(fields, "comment", longest=COMMENT_LENGTH)
    return {
        "matchers": _matchers(fields.get("matchers", old.matchers if old else None)),
        "starts_at": starts_at,
        "ends_at": _end(fields, max(starts_at, now), old),
        "now": now,
        "comment": old.comment if old is not None and "comment" not in fields else comment,
    }


def _end(fields: Mapping[str, Any], start: datetime, old: Silence | None) -> datetime:
    minutes, ends_at = f.whole_number(fields, "minutes", most=LONGEST_MINUTES), moment(fields, "ends_at")
    if minutes is not None and ends_at is not None:
        raise invalid("minutes", "must be left out where ends_at is given")
    if minutes is not None:
        return start + timedelta(minutes=minutes)
    if ends_at is not None:
        if ends_at > start + silencing.FURTHEST_END:
            raise invalid(
                "ends_at",
                f"must lie at most {silencing.FURTHEST_END.days} days after the start, or after now",
            )
        return ends_at
    if old is None:
        raise invalid("ends_at", "is missing; give a time, or minutes instead")
    return old.ends_at


def _matchers(raw: Any) -> tuple[Matcher, ...]:
    if not isinstance(raw, list) or not raw:
        raise invalid("matchers", 'must be a list of 1 or more, such as ["symbol=AAPL"]')
    if not all(isinstance(item, str) for item in raw):
        with checking():
            return parse_matchers(raw)
    try:
        return tuple(parse_filter(item) for item in raw)
    except ValueError as error:
        raise refused(error, field="matchers") from None


# The list


def _of_state(state: str, now: datetime) -> Q:
    return {
        "": Q(),
        "active": Q(starts_at__lte=now, ends_at__gt=now),
        "pending": Q(starts_at__gt=now, ends_at__gt=now),
        "expired": Q(ends_at__lte=now),
    }[state]


def _limit(text: str | None) -> int:
    if not text:
        return PAGE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= LARGEST_PAGE):
        raise invalid("limit", f"must be a whole number from 1 to {LARGEST_PAGE}")
    return int(text)


def _place(silence: Silence) -> str:
    """A cursor: the end in microseconds, and the id."""
    return f"{(silence.ends_at - EPOCH) // timedelta(microseconds=1)}-{silence.pk.hex}"


def _after(cursor: str | None) -> Q:
    if not cursor:
        return Q()
    place = PLACE.fullmatch(cursor)
    if place is None:
        raise invalid("cursor", "must be a `next` of this list")
    end = EPOCH + timedelta(microseconds=int(place[1]))
    return Q(ends_at__lt=end) | Q(ends_at=end, pk__lt=UUID(place[2]))
