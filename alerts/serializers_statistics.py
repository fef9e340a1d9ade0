"""What statistics and the noise report answer."""

from typing import Any

from rest_framework import serializers

from alerts.choices import Category, Priority
from alerts.models import Alert

Counts = serializers.DictField


class WindowSerializer(serializers.Serializer[Any]):
    since = serializers.DateTimeField()
    total = serializers.IntegerField(help_text="Times raised, whatever was decided.")
    by_category = Counts(child=serializers.IntegerField())
    by_priority = Counts(child=serializers.IntegerField())
    by_decision = Counts(child=serializers.IntegerField())
    by_channel = Counts(child=Counts(child=serializers.IntegerField()), help_text="Deliveries by state.")


class WindowsSerializer(serializers.Serializer[Any]):
    hour = WindowSerializer()
    day = WindowSerializer()
    week = WindowSerializer()


class KindSerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=Category.choices)
    title = serializers.CharField()
    raised = serializers.IntegerField()
    sent = serializers.IntegerField()
    acted = serializers.IntegerField(help_text="Acknowledged, assigned, silenced or resolved by somebody.")
    last_day = serializers.DateField()


class FlappingSerializer(serializers.ModelSerializer[Alert]):
    category = serializers.ChoiceField(choices=Category.choices)
    priority = serializers.ChoiceField(choices=Priority.choices)

    class Meta:
        model = Alert
        fields = ("id", "category", "priority", "title", "labels", "flaps", "state", "first_at", "last_at")


class StatisticsSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    windows = WindowsSerializer()
    top_talkers = KindSerializer(many=True, help_text="Of seven days (UTC), today included.")
    flapping = FlappingSerializer(many=True, help_text="Came back again and again within a day.")
    never_acted_on = KindSerializer(many=True, help_text="Sent within 30 days, and nobody did anything.")
    overdue = serializers.IntegerField(help_text="Counted up to 5,000.")


class FigureSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField()
    value = serializers.FloatField(allow_null=True, help_text="Null: unknown; `reason` says why.")
    unit = serializers.CharField()
    target = serializers.CharField()
    act_when = serializers.CharField()
    verdict = serializers.ChoiceField(choices=("good", "watch", "act", "unknown"))
    origin = serializers.CharField(help_text="Who set the target.")
    reason = serializers.CharField(allow_blank=True)


class BarSerializer(serializers.Serializer[Any]):
    least = serializers.IntegerField()
    most = serializers.IntegerField(allow_null=True)
    periods = serializers.IntegerField()


class RankedSerializer(serializers.Serializer[Any]):
    category = serializers.ChoiceField(choices=Category.choices)
    title = serializers.CharField()
    count = serializers.IntegerField()
    owner = serializers.CharField(allow_blank=True)


class NoiseSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    since = serializers.DateTimeField(allow_null=True, help_text="Where the data begins.")
    figures = FigureSerializer(many=True)
    histogram = BarSerializer(many=True, help_text="Ten-minute periods by the number of alerts in them.")
    ranking = RankedSerializer(many=True)
    chattering = RankedSerializer(many=True)
    fleeting = RankedSerializer(many=True)
    never_acted_on = KindSerializer(many=True)
