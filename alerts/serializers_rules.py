"""What the API of rules and silences takes and answers."""

from datetime import datetime
from typing import Any

from rest_framework import serializers

from alerts.choices import Category, Priority
from alerts.models import AlertRule, Silence

JSON = serializers.JSONField


class MatcherSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.CharField(allow_blank=True)
    isRegex = serializers.BooleanField(required=False, default=False)  # noqa: N815  Alertmanager's name
    isEqual = serializers.BooleanField(required=False, default=True)  # noqa: N815  Alertmanager's name


class SilenceSerializer(serializers.ModelSerializer[Silence]):
    """`context["now"]`: for `state`."""

    matchers = MatcherSerializer(many=True)
    state = serializers.SerializerMethodField(help_text="`active`, `pending` or `expired`.")
    owner = serializers.SerializerMethodField(help_text="The account that made it, or null.")

    class Meta:
        model = Silence
        fields = (
            "id",
            "state",
            "matchers",
            "starts_at",
            "ends_at",
            "comment",
            "created_by",
            "owner",
            "created_at",
            "updated_at",
        )

    def get_state(self, silence: Silence) -> str:
        now: datetime = self.context["now"]
        if silence.ends_at <= now:
            return "expired"
        return "active" if silence.starts_at <= now else "pending"

    def get_owner(self, silence: Silence) -> str | None:
        return silence.owner.username if silence.owner is not None else None


class SilencePageSerializer(serializers.Serializer[Any]):
    results = SilenceSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ExpiredSilenceSerializer(SilenceSerializer):
    changed = serializers.BooleanField(help_text="False: it was over already.")

    class Meta(SilenceSerializer.Meta):
        fields = ("changed", *SilenceSerializer.Meta.fields)  # type: ignore[assignment]  # longer


class ChangeSilenceSerializer(serializers.Serializer[Any]):
    matchers = serializers.ListField(
        child=JSON(), required=False, help_text="Texts such as `symbol=AAPL`, or Alertmanager's objects."
    )
    starts_at = serializers.DateTimeField(required=False, help_text="Now when left out.")
    ends_at = serializers.DateTimeField(required=False)
    minutes = serializers.IntegerField(
        required=False, min_value=0, max_value=525_600, help_text="From the start on, instead of `ends_at`."
    )
    comment = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class SilenceRequestSerializer(ChangeSilenceSerializer):
    matchers = serializers.ListField(
        child=JSON(), help_text="Texts such as `symbol=AAPL`, or Alertmanager's objects."
    )


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class RuleSerializer(serializers.ModelSerializer[AlertRule]):
    category = serializers.ChoiceField(choices=Category.choices)
    default_priority = serializers.ChoiceField(choices=Priority.choices)
    min_priority = serializers.ChoiceField(choices=Priority.choices)
    quiet_passes = serializers.ChoiceField(choices=Priority.choices)

    class Meta:
        model = AlertRule
        fields = (
            *(
                "category",
                "enabled",
                "default_priority",
                "min_priority",
                "max_per_hour",
                "dedupe_window_minutes",
            ),
            *("quiet_start", "quiet_end", "time_zone", "quiet_passes", "version", "updated_at", "updated_by"),
        )


class ChangedRuleSerializer(RuleSerializer):
    changed = serializers.BooleanField(help_text="False: it was so already.")

    class Meta(RuleSerializer.Meta):
        fields = ("changed", *RuleSerializer.Meta.fields)  # type: ignore[assignment]  # longer


class RulePageSerializer(serializers.Serializer[Any]):
    results = RuleSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ChangeRuleSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(required=False)
    default_priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    min_priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    max_per_hour = serializers.IntegerField(required=False, min_value=0, max_value=100_000)
    dedupe_window_minutes = serializers.IntegerField(required=False, min_value=0, max_value=10_080)
    quiet_start = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=23,
        help_text="An hour of the day; the same as `quiet_end`: no quiet hours.",
    )
    quiet_end = serializers.IntegerField(required=False, min_value=0, max_value=23)
    time_zone = serializers.CharField(required=False, allow_blank=True, help_text="Empty: the desk's own.")
    quiet_passes = serializers.ChoiceField(
        choices=Priority.choices,
        required=False,
        help_text="What is at least this urgent is sent at night, too.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    version = serializers.IntegerField(required=False, help_text="The one that was read.")
