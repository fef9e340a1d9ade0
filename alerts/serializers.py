"""What the alerts' API answers, and how the OpenAPI document describes what it takes. Those of statistics have their own module."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from alerts.choices import (
    AlertState,
    AttemptOutcome,
    Category,
    Decision,
    DeliveryKind,
    DeliveryState,
    Priority,
)
from alerts.models import Alert, Delivery, DeliveryAttempt
from alerts.selectors import Detail, is_overdue
from alerts.wording import sentence

JSON = serializers.JSONField


class AlertSerializer(serializers.ModelSerializer[Alert]):
    """One incident as lists show it. `context["now"]`: for `overdue`."""

    category = serializers.ChoiceField(choices=Category.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)
    decision = serializers.ChoiceField(choices=Decision.choices, help_text="The newest one.")
    state = serializers.ChoiceField(choices=AlertState.choices)
    reason = serializers.SerializerMethodField(help_text="The newest decision in words.")
    overdue = serializers.SerializerMethodField(help_text="Told and due, and nobody owns it.")
    assignee = serializers.SerializerMethodField(help_text="Username, or null.")
    count = serializers.IntegerField(help_text="Times raised, whatever was decided.")

    class Meta:
        model = Alert
        fields = (
            *(
                "id",
                "category",
                "priority",
                "title",
                "message",
                "labels",
                "annotations",
                "details",
                "source",
                "raised_by",
            ),
            *(
                "generator_url",
                "forced",
                "sent_directly",
                "state",
                "decision",
                "reason",
                "decided_at",
                "count",
                "flaps",
            ),
            *("starts_at", "first_at", "last_at", "ends_at", "resolved_at", "resolved_by", "resolve_note"),
            *(
                "sent_at",
                "last_sent_at",
                "sent_count",
                "held",
                "due_at",
                "overdue",
                "escalation",
                "escalate_at",
                "assignee",
            ),
            *("acknowledged_at", "acknowledged_by", "acknowledged_until", "acknowledge_note"),
        )

    def get_reason(self, alert: Alert) -> str:
        return sentence(alert.decision, alert.trace)

    def get_overdue(self, alert: Alert) -> bool:
        now: datetime = self.context["now"]
        return is_overdue(alert, now=now)

    def get_assignee(self, alert: Alert) -> str | None:
        return alert.assignee.username if alert.assignee is not None else None


class AlertPageSerializer(serializers.Serializer[Any]):
    results = AlertSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class GateSerializer(serializers.Serializer[Any]):
    """One question of the decision, in order; what else is in it depends on the gate."""

    gate = serializers.CharField()
    passed = serializers.BooleanField()


class DecidedSerializer(serializers.Serializer[Any]):
    decision = serializers.ChoiceField(choices=Decision.choices)
    reason = serializers.CharField()
    at = serializers.CharField()
    until = serializers.CharField(allow_null=True, help_text="When it was decided so again, last.")
    count = serializers.IntegerField()
    trace = GateSerializer(many=True)


class AttemptSerializer(serializers.ModelSerializer[DeliveryAttempt]):
    outcome = serializers.ChoiceField(choices=AttemptOutcome.choices)

    class Meta:
        model = DeliveryAttempt
        fields = ("number", "started_at", "finished_at", "outcome", "status", "error", "retry_after")


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    channel = serializers.CharField(source="channel_name")
    kind = serializers.ChoiceField(choices=DeliveryKind.choices)
    state = serializers.ChoiceField(choices=DeliveryState.choices)
    tries = AttemptSerializer(many=True)

    class Meta:
        model = Delivery
        fields = (
            *(
                "id",
                "channel",
                "kind",
                "state",
                "priority",
                "created_at",
                "due_at",
                "finished_at",
                "attempts",
                "error",
            ),
            *("maybe_duplicate", "instead_of", "tries"),
        )


class HoldingSilenceSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    ends_at = serializers.DateTimeField()
    created_by = serializers.CharField()
    comment = serializers.CharField(allow_blank=True)


class EarlierSerializer(serializers.ModelSerializer[Alert]):
    class Meta:
        model = Alert
        fields = ("id", "priority", "decision", "first_at", "resolved_at", "resolved_by", "count")


class AlertDetailSerializer(AlertSerializer):
    """For the description; the answer is made by `detail_data()`."""

    trace = GateSerializer(many=True)
    repeats = serializers.IntegerField(help_text="Times that the newest decision was made again.")
    history = DecidedSerializer(many=True, help_text="Decisions before the newest one, oldest first.")
    deliveries = DeliverySerializer(many=True)
    silences = HoldingSilenceSerializer(many=True, help_text="That hold it now.")
    earlier = EarlierSerializer(
        many=True, help_text="Incidents before it with the same labels, newest first."
    )

    class Meta(AlertSerializer.Meta):
        fields = (  # type: ignore[assignment]  # longer
            *AlertSerializer.Meta.fields,
            *(
                "fingerprint",
                "trace",
                "repeats",
                "repeated_at",
                "history",
                "deliveries",
                "silences",
                "earlier",
            ),
        )


def detail_data(found: Detail, *, now: datetime) -> dict[str, Any]:
    """As AlertDetailSerializer describes it; the gates of the traces with all their facts."""
    alert = found.alert
    return {
        **AlertSerializer(alert, context={"now": now}).data,
        "fingerprint": alert.fingerprint,
        "trace": alert.trace,
        "repeats": alert.repeats,
        "repeated_at": alert.repeated_at,
        "history": [{**item, "reason": sentence(item["decision"], item["trace"])} for item in alert.history],
        "deliveries": DeliverySerializer(found.deliveries, many=True).data,
        "silences": HoldingSilenceSerializer(found.silences, many=True).data,
        "earlier": EarlierSerializer(found.earlier, many=True).data,
    }
