"""How the OpenAPI document describes what health answers (`monitoring.health.answers` and `system` make it)."""

from typing import Any

from rest_framework import serializers

from killswitch.choices import Mode
from monitoring.health.choices import Kind, Status
from monitoring.health.watchdog.stages import Stage, StageStatus

WORDS = ("operational", "degraded", "halted", "down")


class ComponentSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    status = serializers.ChoiceField(
        choices=Status.choices, help_text="`unknown` when the newest result is older than three intervals."
    )
    message = serializers.CharField()
    response_time_ms = serializers.FloatField(allow_null=True, help_text="Null: nothing is asked.")
    last_check = serializers.DateTimeField(allow_null=True)
    metadata = serializers.DictField(help_text="What was found; differs by kind.")
    slug = serializers.CharField(help_text="Its name in addresses and metrics.")
    kind = serializers.ChoiceField(choices=Kind.choices)
    essential = serializers.BooleanField(
        help_text="The whole is unhealthy when this is; else degraded at most."
    )
    since = serializers.DateTimeField(allow_null=True, help_text="Since when it has this status.")
    age_seconds = serializers.FloatField(allow_null=True, help_text="Of the newest result.")
    interval_seconds = serializers.IntegerField()
    stale = serializers.BooleanField(help_text="It ought to have been looked at again long ago.")


class ResourcesSerializer(serializers.Serializer[Any]):
    cpu_percent = serializers.FloatField(allow_null=True, help_text="Null: not known now.")
    memory_percent = serializers.FloatField(allow_null=True)
    disk_free_gb = serializers.FloatField(allow_null=True)


class HealthSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Status.choices)
    timestamp = serializers.DateTimeField()
    components = ComponentSerializer(many=True)
    system_resources = ResourcesSerializer()


class BriefSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    slug = serializers.CharField()
    status = serializers.ChoiceField(choices=Status.choices)
    message = serializers.CharField()


class HealthSummarySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=Status.choices)
    timestamp = serializers.DateTimeField()
    total = serializers.IntegerField()
    counts = serializers.DictField(child=serializers.IntegerField(), help_text="By status.")
    abnormal = BriefSerializer(many=True)
    stale = serializers.ListField(child=serializers.CharField())
    oldest_check_seconds = serializers.FloatField(allow_null=True)
    system_resources = ResourcesSerializer()


class ChangeSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    before = serializers.ChoiceField(choices=Status.choices)
    after = serializers.ChoiceField(choices=Status.choices)
    message = serializers.CharField(allow_blank=True)
    lasted_seconds = serializers.FloatField(allow_null=True, help_text="For how long the status before did.")


class ComponentDetailSerializer(ComponentSerializer):
    changes = ChangeSerializer(many=True, help_text="The newest 20 changes of status.")


class AlertCountsSerializer(serializers.Serializer[Any]):
    unacknowledged = serializers.IntegerField()
    overdue = serializers.IntegerField()
    urgent = serializers.IntegerField(help_text="CRITICAL and HIGH ones among them.")


class SystemStatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=WORDS)
    timestamp = serializers.DateTimeField()
    why = serializers.ListField(
        child=serializers.CharField(), help_text="Sentences; empty when nothing is the matter."
    )
    trading_allowed = serializers.BooleanField()
    mode = serializers.ChoiceField(choices=Mode.choices)
    stopped_scopes = serializers.ListField(child=serializers.CharField())
    health = serializers.ChoiceField(choices=Status.choices)
    abnormal = serializers.ListField(child=serializers.CharField())
    stale = serializers.ListField(child=serializers.CharField())
    open_breakers = serializers.ListField(child=serializers.CharField())
    watchdog_dead = serializers.ChoiceField(
        choices=Stage.choices, allow_null=True, help_text="Where the watchdog's canary stays away."
    )
    alerts = AlertCountsSerializer()
    clients_connected = serializers.IntegerField()


class ServerSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    version = serializers.CharField(allow_null=True, help_text="Null: it does not answer.")
    embedded = serializers.BooleanField(help_text="Started by the console itself.")


class ProcessSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    host = serializers.CharField()
    pid = serializers.IntegerField()
    started_at = serializers.DateTimeField()
    uptime_seconds = serializers.FloatField()
    heard_seconds_ago = serializers.FloatField()


class StageSerializer(serializers.Serializer[Any]):
    stage = serializers.ChoiceField(choices=Stage.choices)
    status = serializers.ChoiceField(
        choices=StageStatus.choices,
        help_text="`waiting`: nothing has come by since the start. `off`: no address outside is set.",
    )
    last_passed = serializers.DateTimeField(allow_null=True)
    age_seconds = serializers.FloatField(allow_null=True)
    late_after_seconds = serializers.FloatField()


class WatchdogSerializer(serializers.Serializer[Any]):
    address_set = serializers.BooleanField(help_text="Whether somebody outside waits for the canary.")
    dead = serializers.ChoiceField(
        choices=Stage.choices, allow_null=True, help_text="Null: it comes through."
    )
    stages = StageSerializer(many=True, help_text="In the canary's order.")


class SystemInfoSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    version = serializers.CharField()
    build = serializers.CharField(
        allow_null=True, help_text="The commit, where the environment or a checkout tells."
    )
    timestamp = serializers.DateTimeField()
    uptime_seconds = serializers.FloatField(help_text="Of the web process that answers.")
    python = serializers.CharField()
    libraries = serializers.DictField(child=serializers.CharField())
    platform = serializers.CharField()
    host = serializers.CharField()
    processes = ProcessSerializer(many=True)
    database = ServerSerializer()
    broker = ServerSerializer()
    watchdog = WatchdogSerializer()
    time_zone = serializers.CharField()
    lease_term_seconds = serializers.FloatField()
    debug = serializers.BooleanField()
