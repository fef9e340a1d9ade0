"""/monitoring/alerts/rules: how the alerts of each category are filtered."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from alerts import serializers_rules as s
from alerts.models import AlertRule
from alerts.rule_values import Refused
from alerts.services import rules
from opsconsole.accounts.actor import actor_of
from opsconsole.api import fields as f
from opsconsole.api.access import require
from opsconsole.api.body import read_body
from opsconsole.api.errors import ApiError, invalid
from opsconsole.api.idempotency import once
from opsconsole.api.schema import IDEMPOTENCY_KEY, errors
from opsconsole.audit.reasoned import REASON_LENGTH
from opsconsole.audit.tuned import ChangedMeanwhile


class RulesView(APIView):
    @extend_schema(
        operation_id="alert_rules",
        summary="All rules",
        responses={200: s.RulePageSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        may_read(request)
        results = s.RuleSerializer(AlertRule.objects.all(), many=True).data
        return Response({"results": results, "next": None})


class RuleView(APIView):
    @extend_schema(
        operation_id="alert_rule",
        summary="The rule of one category",
        responses={200: s.RuleSerializer, **errors(403, 404)},
    )
    def get(self, request: Request, category: str) -> Response:
        may_read(request)
        rule = AlertRule.objects.filter(category=category.upper()).first()
        if rule is None:
            raise Http404
        return Response(s.RuleSerializer(rule).data)

    @extend_schema(
        operation_id="alert_rule_change",
        summary="Tune a rule",
        description=(
            "Only the fields given are changed, from the next alert on; before and after are in the audit trail. With `version` (the one "
            "that was read) it is refused if somebody changed the rule since. Needs the role supervisor."
        ),
        parameters=[IDEMPOTENCY_KEY],
        request={"application/json": s.ChangeRuleSerializer},
        responses={200: s.ChangedRuleSerializer, **errors(400, 403, 404, 409, 413, 422)},
        examples=[
            OpenApiExample(
                "less noise",
                request_only=True,
                value={"max_per_hour": 5, "dedupe_window_minutes": 60, "reason": "Too many signals"},
            )
        ],
    )
    def patch(self, request: Request, category: str) -> Response:
        require(request, "alerts.tune", to="Tuning alert rules", role="supervisor")
        body = read_body(request)
        values = dict(body.or_refuse())
        reason = f.text(values, "reason", longest=REASON_LENGTH)
        version = f.whole_number(values, "version")
        wanted = {name: value for name, value in values.items() if name not in {"reason", "version"}}
        return once(
            request,
            operation=f"alerts.rule.{category[:32]}",
            body=body.raw,
            act=lambda: _change(request, category.upper(), wanted, reason, version),
        )


def _change(
    request: Request, category: str, values: dict[str, Any], reason: str, version: int | None
) -> Response:
    try:
        rule, changed = rules.change(
            actor=actor_of(request), category=category, values=values, reason=reason, version=version
        )
    except AlertRule.DoesNotExist:
        raise Http404 from None
    except Refused as error:
        raise invalid(error.field, error.problem) from None
    except ChangedMeanwhile as error:
        raise ApiError(409, "changed_meanwhile", str(error), {"version": error.version}) from None
    return Response({"changed": changed, **s.RuleSerializer(rule).data})


def may_read(request: Request) -> None:
    require(request, "alerts.view_alert", to="Reading alerts", role="viewer")
