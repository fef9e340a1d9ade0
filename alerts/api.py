"""/monitoring/alerts: raise, list, read, count."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts import selectors
from alerts import serializers as s
from alerts import serializers_raising as raised
from alerts import serializers_statistics as counted
from alerts.api_fields import checking, moment, one_of, true_or_false
from alerts.api_rules import may_read
from alerts.choices import AlertState, Category, Decision, Priority
from alerts.incoming import BODY_LIMIT, category, items_of, read_alert, words
from alerts.models import Alert
from alerts.noise import noise
from alerts.services.raised import Outcome, RaisedAlert
from alerts.services.raising import raise_alerts
from alerts.statistics import statistics
from alerts.told import told
from alerts.wording import sentence
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once, once_in_transaction
from opsconsole.api.pagination import answer, read_page
from opsconsole.api.schema import CURSOR, IDEMPOTENCY_KEY, LIMIT, errors

SEARCH_LENGTH = 200
# A test alert is over by itself after so long.
TEST_LASTS = timedelta(minutes=10)
TEST_MESSAGE = "Test alert"
NOTHING_OPEN = "nothing to resolve: no such alert is open"


class AlertsView(APIView):
    @extend_schema(
        operation_id="alert_raise",
        summary="Raise alerts",
        description=(
            'One alert, or `{"alerts": […]}` (or a bare list) of up to 1,000, at most 2 MiB. Answers what was decided and why. Of a list those '
            "that can be used are kept, and the others named by their index; 400 when none can. An alert that is open already is not a new "
            "one: it is counted. `resolved` ends it. Needs the role trading-system or operator."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": raised.RaiseSerializer},
        responses={
            200: raised.RaisedSerializer,
            201: raised.RaisedSerializer,
            207: raised.RaisedListSerializer,
            **errors(400, 403, 409, 413, 422),
        },
        examples=[
            OpenApiExample(
                "risk",
                request_only=True,
                value={
                    "category": "RISK_WARNING",
                    "priority": "HIGH",
                    "title": "Volatility above limit",
                    "message": "Volatility of TSLA is 53%, limit 50%",
                    "labels": {"symbol": "TSLA"},
                },
            )
        ],
    )
    def post(self, request: Request) -> Response:
        require(request, "alerts.raise_alert", to="Raising alerts", role="trading-system")
        body = read_body(request, limit=BODY_LIMIT)
        items, now = items_of(body), timezone.now()
        if items is None:
            alert = read_alert(body.or_refuse(), now=now)
            return once_in_transaction(
                request, operation="alerts.raise", body=body.raw, act=lambda: _raise_one(request, alert)
            )
        return once_in_transaction(
            request, operation="alerts.raise", body=body.raw, act=lambda: _raise_many(request, items, now)
        )


def _raise_one(request: Request, alert: RaisedAlert) -> Response:
    with checking():
        outcomes = raise_alerts(actor=actor_of(request), alerts=[alert])
    return Response(_answer(outcomes[0]), status=201 if outcomes[0].new else 200)


def _raise_many(request: Request, items: list[Any], now: datetime) -> Response:
    usable: dict[int, RaisedAlert] = {}
    rejected = []
    for index, item in enumerate(items):
        try:
            usable[index] = read_alert(item, now=now)
        except ApiError as error:
            rejected.append({"index": index, "message": error.message, "details": error.details})
    if not usable:
        details = {f"alerts[{row['index']}]": row["message"] for row in rejected[:100]}
        raise ApiError(400, "invalid", f"None of the {len(items)} alerts can be used.", details)
    outcomes = raise_alerts(actor=actor_of(request), alerts=list(usable.values()))
    accepted = [{"index": index, **_answer(outcome)} for index, outcome in zip(usable, outcomes, strict=True)]
    data = {"accepted": accepted, "rejected": rejected}
    return Response(data, status=207 if rejected else 200)


def _answer(outcome: Outcome) -> dict[str, Any]:
    decision = outcome.decision
    return {
        "id": outcome.alert_id,
        "decision": decision,
        "reason": NOTHING_OPEN if decision is None else sentence(decision, outcome.trace),
        "new": outcome.new,
        "state": outcome.state,
        "trace": outcome.trace,
    }


class TestView(APIView):
    @extend_schema(
        operation_id="alert_test",
        summary="Send a test alert",
        description=(
            "A real alert with the label `test`, which goes the same way as any other and ends by itself after 10 minutes. Answers what "
            "was decided and why, and which channels are told. Needs the role operator or trading-system."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request=dict.fromkeys(
            ("application/json", "application/x-www-form-urlencoded"), raised.TestSerializer
        ),
        responses={
            200: raised.TestedSerializer,
            201: raised.TestedSerializer,
            **errors(400, 403, 409, 413, 422),
        },
        examples=[
            OpenApiExample(
                "guide",
                request_only=True,
                value={"category": "TRADING_SIGNAL", "priority": "HIGH", "message": "Test alert from API"},
            )
        ],
    )
    def post(self, request: Request) -> Response:
        require(request, "alerts.raise_alert", to="Sending a test alert", role="operator")
        body = read_body(request)
        fields, now = body.or_refuse(), timezone.now()
        f.refuse_unknown(fields, "category", "priority", "message")
        title, message = words({"message": TEST_MESSAGE, **fields})
        priority = one_of(fields, "priority", Priority.values)
        alert = RaisedAlert(
            category=category(fields),
            priority=Priority(priority) if priority else None,
            title=title,
            message=message,
            labels={"test": "true"},
            source="test",
            ends_at=now + TEST_LASTS,
        )
        return once(request, operation="alerts.test", body=body.raw, act=lambda: _test(request, alert, now))


def _test(request: Request, alert: RaisedAlert, now: datetime) -> Response:
    answer = _raise_one(request, alert)
    stored = Alert.objects.get(pk=answer.data["id"])
    answer.data["channels"] = [
        {
            "channel": row.channel,
            "kind": row.kind,
            "delivery": row.delivery,
            "state": row.state,
            "why": row.why,
        }
        for row in told(stored, stored.deliveries.filter(created_at__gte=now).order_by("pk"))
    ]
    return answer


class RecentView(APIView):
    @extend_schema(
        operation_id="alerts_recent",
        summary="Alerts, newest first",
        description="A page may have fewer rows than `limit` and still a `next`: each looks at a bounded number of alerts.",
        parameters=[
            LIMIT,
            CURSOR,
            OpenApiParameter("category", str, enum=Category.values),
            OpenApiParameter("priority", str, enum=Priority.values),
            OpenApiParameter("decision", str, enum=Decision.values, description="The newest one."),
            OpenApiParameter("state", str, enum=AlertState.values),
            OpenApiParameter("source", str, description="Where it came from, such as `prometheus`."),
            OpenApiParameter(
                "search",
                str,
                description="Words of the title, `name=value` of a label, or an alert's number.",
            ),
            OpenApiParameter("since", datetime, description="First taken in at this time or later."),
            OpenApiParameter("until", datetime, description="First taken in before this time."),
            OpenApiParameter("acknowledged", bool),
            OpenApiParameter("overdue", bool, description="Told and due, and nobody owns it."),
        ],
        responses={200: s.AlertPageSerializer, **errors(400, 403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        page, now = read_page(request), timezone.now()
        found = selectors.recent(_filters(request), limit=page.limit, before_id=page.before_id, now=now)
        results = s.AlertSerializer(found.results, many=True, context={"now": now}).data
        return answer(results, found.next_id)


def _filters(request: Request) -> selectors.Filters:
    query: Mapping[str, Any] = request.query_params.dict()
    return selectors.Filters(
        category=one_of(query, "category", Category.values),
        priority=one_of(query, "priority", Priority.values),
        decision=one_of(query, "decision", Decision.values),
        state=one_of(query, "state", AlertState.values),
        source=_line(query, "source", longest=64),
        search=_line(query, "search", longest=SEARCH_LENGTH),
        since=moment(query, "since"),
        until=moment(query, "until"),
        acknowledged=true_or_false(query, "acknowledged"),
        overdue=true_or_false(query, "overdue"),
    )


def _line(query: Mapping[str, Any], name: str, *, longest: int) -> str:
    text = f.text(query, name, longest=longest)
    if "\x00" in text:
        raise invalid(name, "must not have NUL characters")
    return text


class AlertView(APIView):
    @extend_schema(
        operation_id="alert",
        summary="One alert, with its decisions and deliveries",
        responses={200: s.AlertDetailSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, pk: int) -> Response:
        may_read(request)
        now = timezone.now()
        try:
            found = selectors.detail(pk, now=now)
        except Alert.DoesNotExist:
            raise Http404 from None
        return Response(s.detail_data(found, now=now))


class StatisticsView(APIView):
    @extend_schema(
        operation_id="alert_statistics",
        summary="How many, of what, and what became of them",
        responses={200: counted.StatisticsSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(counted.StatisticsSerializer(statistics()).data)


class NoiseView(APIView):
    @extend_schema(
        operation_id="alert_noise",
        summary="How noisy the alerts are: figures and targets over 30 days",
        responses={200: counted.NoiseSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        return Response(counted.NoiseSerializer(noise()).data)
