"""What raising an alert takes and answers, for the OpenAPI document."""

from typing import Any

from rest_framework import serializers

from alerts import limits
from alerts.choices import AlertState, Category, Decision, DeliveryState, Priority
from alerts.serializers import GateSerializer


class OneAlertSerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=Category.choices)
    priority = serializers.ChoiceField(
        choices=Priority.choices, required=False, help_text="The rule's default when left out."
    )
    title = serializers.CharField(
        max_length=limits.TITLE,
        required=False,
        help_text="With category and labels it says which alert this is; the message's first line when left out.",
    )
    message = serializers.CharField(max_length=limits.MESSAGE, required=False)
    labels = serializers.DictField(
        child=serializers.CharField(max_length=limits.LABEL_VALUE),
        required=False,
        help_text=f"Say which alert this is: at most {limits.MOST_LABELS}, such as `symbol`.",
    )
    annotations = serializers.DictField(
        child=serializers.CharField(), required=False, help_text="Say more about it, such as `runbook_url`."
    )
    details = serializers.DictField(required=False, help_text=f"Any JSON, at most {limits.DETAILS} bytes.")
    force = serializers.BooleanField(required=False, help_text="Sent whatever the rules say.")
    dedupe_key = serializers.CharField(
        max_length=limits.DEDUPE_KEY,
        required=False,
        help_text="Says which alert this is, instead of title and labels.",
    )
    starts_at = serializers.DateTimeField(required=False, help_text="When it began; also `occurred_at`.")
    ends_at = serializers.DateTimeField(
        required=False, help_text="When it is over unless it is raised again."
    )
    resolved = serializers.BooleanField(required=False, help_text="It is over.")
    generator_url = serializers.CharField(max_length=limits.URL, required=False)
    source = serializers.CharField(  # type: ignore[assignment]  # a field of this name
        max_length=limits.SOURCE, required=False, help_text="`api` when left out."
    )
    sent_directly = serializers.BooleanField(
        required=False, help_text="The sender told somebody itself, since it could not reach the console."
    )


class RaiseSerializer(OneAlertSerializer):
    alerts = OneAlertSerializer(many=True, required=False, help_text="Instead of all other fields.")


class RaisedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(allow_null=True, help_text="Null: there was nothing to resolve.")
    decision = serializers.ChoiceField(choices=Decision.choices, allow_null=True)
    reason = serializers.CharField()
    new = serializers.BooleanField(help_text="Whether it began a new incident.")
    state = serializers.ChoiceField(choices=AlertState.choices, allow_null=True)
    trace = GateSerializer(many=True)


class AcceptedSerializer(RaisedSerializer):
    index = serializers.IntegerField()


class RejectedSerializer(serializers.Serializer[Any]):
    index = serializers.IntegerField()
    message = serializers.CharField()
    details = serializers.DictField()


class RaisedListSerializer(serializers.Serializer[Any]):
    accepted = AcceptedSerializer(many=True)
    rejected = RejectedSerializer(many=True)


class TestSerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=Category.choices)
    priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    message = serializers.CharField(required=False, max_length=limits.MESSAGE)


class ToldSerializer(serializers.Serializer[Any]):
    channel = serializers.CharField()
    kind = serializers.CharField()
    delivery = serializers.IntegerField(allow_null=True)
    state = serializers.ChoiceField(choices=DeliveryState.choices, allow_null=True)
    why = serializers.CharField(help_text="`told`, or why not.")


class TestedSerializer(RaisedSerializer):
    channels = ToldSerializer(many=True)
