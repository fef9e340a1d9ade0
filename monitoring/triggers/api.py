"""/monitoring/triggers: what each trigger watches, and what became of it."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.triggers.choices import Act, Aggregate, Comparison, Condition
from monitoring.triggers.models import Trigger, TriggerState
from opsconsole.api.access import require
from opsconsole.api.schema import errors


class TriggerStateSerializer(serializers.ModelSerializer[TriggerState]):
    condition = serializers.ChoiceField(
        choices=Condition.choices, help_text="`WAITING`: nobody has reported the metric yet."
    )
    confirmed = serializers.IntegerField(help_text="New values in a row that reached the threshold.")
    far = serializers.BooleanField(help_text="Whether the second threshold was reached, too.")
    value = serializers.FloatField(allow_null=True, help_text="The newest reading, or null.")
    value_at = serializers.DateTimeField(allow_null=True, help_text="When its client had it.")
    problem = serializers.SerializerMethodField(help_text="Why there is no value to decide by, or null.")
    error = serializers.CharField(allow_blank=True, help_text="The problem in words.")

    class Meta:
        model = TriggerState
        fields = (
            *("condition", "confirmed", "far", "tripped_at", "value", "value_at"),
            *("problem", "problem_at", "error", "evaluated_at"),
        )

    def get_problem(self, state: TriggerState) -> str | None:
        return state.problem or None


class TriggerSerializer(serializers.ModelSerializer[Trigger]):
    aggregate = serializers.ChoiceField(choices=Aggregate.choices)
    comparison = serializers.ChoiceField(choices=Comparison.choices)
    action = serializers.ChoiceField(choices=Act.choices)
    on_missing = serializers.ChoiceField(choices=Act.choices)
    on_error = serializers.ChoiceField(choices=Act.choices)
    category = serializers.CharField()
    priority = serializers.CharField(allow_blank=True, help_text="Empty: the category's own.")
    stop_reason = serializers.CharField()
    stop_mode = serializers.CharField()
    labels = serializers.DictField(child=serializers.CharField())
    state = TriggerStateSerializer()

    class Meta:
        model = Trigger
        fields = (
            *("name", "enabled", "metric", "client", "labels", "aggregate", "window_seconds", "percent_of"),
            *("comparison", "threshold", "second_threshold", "clear_threshold", "confirmations"),
            *("stale_seconds", "on_missing", "on_error", "action", "category", "priority"),
            *("stop_reason", "stop_scope", "stop_mode", "comment", "version", "updated_at", "updated_by"),
            "state",
        )


class TriggerPageSerializer(serializers.Serializer[Any]):
    results = TriggerSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class TriggersView(APIView):
    @extend_schema(
        operation_id="triggers",
        summary="All triggers, with their newest readings",
        responses={200: TriggerPageSerializer, **errors(403)},
    )
    def get(self, request: Request) -> Response:
        require(request, "monitoring.view_trigger", to="Reading triggers", role="viewer")
        triggers = Trigger.objects.select_related("state")
        return Response({"results": TriggerSerializer(triggers, many=True).data, "next": None})
