"""How the OpenAPI document describes what processes send, and what they are answered."""

from typing import Any

from rest_framework import serializers

from monitoring.breakers.choices import Hold, State, Why
from monitoring.breakers.reports import MOST_BREAKERS, MOST_TRANSITIONS

JSON = serializers.JSONField
CONFIG = {"failure_threshold": 5, "success_threshold": 2, "timeout_seconds": 60.0}
REPORT = {
    "report_id": "8f0e5c5e-3f3f-4e57-9f0a-0a7f2f1f9a10",
    "name": "AAPL",
    "instance": "3b9f0a5c1d2e4f60718293a4b5c6d7e8",
    "applied": 57,
    "dropped": 0,
    "breakers": [
        {
            "name": "yahoo_finance",
            "state": "OPEN",
            "forced": None,
            "state_s": 0.1,
            "generation": 3,
            "applied": 57,
            "config": CONFIG,
            "own_config": CONFIG,
            "counts": {"success": 812, "failure": 9, "slow": 0, "ignored": 2, "rejected": 4},
            "window": {"calls": 100, "failure_rate": 9.0, "slow_rate": 0.0},
            "last_failure": {"type": "ConnectTimeout", "text": "no answer within 5 s", "ago_s": 0.1},
        }
    ],
    "transitions": [
        {
            "seq": 17,
            "breaker": "yahoo_finance",
            "from": "CLOSED",
            "to": "OPEN",
            "ago_s": 0.1,
            "in_previous_s": 3601.5,
            "why": "failure_threshold",
            "cause": {"type": "ConnectTimeout", "text": "no answer within 5 s"},
            "counts": {"success": 812, "failure": 9, "slow": 0, "ignored": 2, "rejected": 4},
        }
    ],
}
PROBE = {
    "name": "AAPL",
    "instance": "3b9f0a5c1d2e4f60718293a4b5c6d7e8",
    "breaker": "yahoo_finance",
    "generation": 4,
}


class FailureSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    text = serializers.CharField(required=False, allow_blank=True)
    ago_s = serializers.FloatField(required=False, min_value=0)


class CauseSerializer(serializers.Serializer[Any]):
    type = serializers.CharField()
    text = serializers.CharField(required=False, allow_blank=True)


class CountsSerializer(serializers.Serializer[Any]):
    success = serializers.IntegerField(required=False, min_value=0)
    failure = serializers.IntegerField(required=False, min_value=0)
    slow = serializers.IntegerField(required=False, min_value=0)
    ignored = serializers.IntegerField(required=False, min_value=0)
    rejected = serializers.IntegerField(required=False, min_value=0)


class WindowSerializer(serializers.Serializer[Any]):
    calls = serializers.IntegerField(required=False, min_value=0)
    failure_rate = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=100)
    slow_rate = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=100)


class ReportedBreakerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=128)
    state = serializers.ChoiceField(choices=State.choices)
    state_s = serializers.FloatField(min_value=0, help_text="For how long it has been in it.")
    forced = serializers.ChoiceField(choices=Hold.choices, required=False, allow_null=True)
    generation = serializers.IntegerField(required=False, min_value=0)
    applied = serializers.IntegerField(
        required=False, min_value=0, help_text="The version applied of this name."
    )
    config = JSON(required=False, help_text="In force.")
    own_config = JSON(required=False, help_text="As the code has it.")
    counts = CountsSerializer(required=False, help_text="Of the process's whole life.")
    window = WindowSerializer(required=False)
    last_failure = FailureSerializer(required=False, allow_null=True)


class ReportedTransitionSerializer(serializers.Serializer[Any]):
    seq = serializers.IntegerField(min_value=1, help_text="Counted by the process, without a gap.")
    breaker = serializers.CharField(max_length=128)
    to = serializers.ChoiceField(choices=State.choices)
    ago_s = serializers.FloatField(min_value=0)
    in_previous_s = serializers.FloatField(min_value=0)
    why = serializers.ChoiceField(choices=Why.choices)
    cause = CauseSerializer(required=False, allow_null=True)
    counts = JSON(required=False)

    def get_fields(self) -> dict[str, Any]:
        # A word of Python's.
        return {"from": serializers.ChoiceField(choices=State.choices), **super().get_fields()}


class ReportSerializer(serializers.Serializer[Any]):
    report_id = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=64)
    instance = serializers.CharField(min_length=32, max_length=32)
    applied = serializers.IntegerField(required=False, min_value=0)
    dropped = serializers.IntegerField(
        required=False, min_value=0, help_text="Transitions that had to be given up, ever."
    )
    breakers = ReportedBreakerSerializer(many=True, required=False, help_text=f"At most {MOST_BREAKERS}.")
    transitions = ReportedTransitionSerializer(
        many=True, required=False, help_text=f"At most {MOST_TRANSITIONS}, the oldest first."
    )


class TakenSerializer(serializers.Serializer[Any]):
    version = serializers.IntegerField(help_text="The newest.")
    changes = JSON(allow_null=True, help_text="As the stream's event `breakers`; null: nothing is new.")
    ignored = serializers.ListField(
        child=serializers.CharField(), help_text="Breakers that are not kept, since there are too many."
    )


class ProbeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    instance = serializers.CharField(max_length=32)
    breaker = serializers.CharField(max_length=128)
    generation = serializers.IntegerField(min_value=0, help_text="Of the shared state that it knows.")


class LeaseSerializer(serializers.Serializer[Any]):
    granted = serializers.BooleanField()
    permits = serializers.IntegerField(required=False, help_text="Probes under way at a time.")
    term_s = serializers.FloatField(required=False, help_text="For how long nobody else may.")
    retry_s = serializers.FloatField(required=False, help_text="When to ask again.")
