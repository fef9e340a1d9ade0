"""What the API of the breakers answers, and how the OpenAPI document describes what it takes."""

from typing import Any

from rest_framework import serializers

from monitoring.breakers.choices import UNKNOWN, CommandKind, Hold, State
from monitoring.breakers.models import BreakerCommand, BreakerState, BreakerTransition

JSON = serializers.JSONField
STATES = [*State.values, UNKNOWN]


class CountedSerializer(serializers.Serializer[Any]):
    total = serializers.IntegerField(help_text="Connected, or heard of within 30 s.")
    open = serializers.IntegerField()
    half_open = serializers.IntegerField()
    closed = serializers.IntegerField()


class HeldSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=Hold.choices)
    reason = serializers.CharField(allow_blank=True)
    by = serializers.CharField()
    at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="Null: until it is released.")


class SharedSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(choices=State.choices)
    generation = serializers.IntegerField()
    at = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True, help_text="From then on one process may probe.")


class LastFailureSerializer(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="The exception's class.")
    text = serializers.CharField(allow_blank=True, help_text="Redacted, at most 500 characters.")
    at = serializers.DateTimeField()
    client = serializers.CharField()


class BreakerSerializer(serializers.Serializer[Any]):
    """One breaker over all processes that are there."""

    name = serializers.CharField()
    state = serializers.ChoiceField(
        choices=STATES, help_text="The worst of the processes that are there; UNKNOWN: none is."
    )
    last_state = serializers.CharField(allow_blank=True, help_text="What was known last.")
    stale = serializers.BooleanField(help_text="Nobody is there to tell of it.")
    since = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(
        allow_null=True, help_text="Since when it is not closed, whatever was tried meanwhile."
    )
    reported_at = serializers.DateTimeField(allow_null=True)
    processes = CountedSerializer()
    hold = HeldSerializer(allow_null=True, source="held")
    shared = SharedSerializer(allow_null=True, help_text="Null: each process for itself.")
    quorum = serializers.IntegerField(help_text="So many open processes open all; 0: each for itself.")
    failure_rate = serializers.FloatField(allow_null=True, help_text="Of the worst process, in percent.")
    slow_rate = serializers.FloatField(allow_null=True, help_text="Of the worst process, in percent.")
    calls = serializers.IntegerField(help_text="In the windows of all processes.")
    success = serializers.IntegerField(help_text="Since each process began, as all counts.")
    failure = serializers.IntegerField()
    slow = serializers.IntegerField()
    ignored = serializers.IntegerField()
    rejected = serializers.IntegerField()
    open_today_s = serializers.FloatField(help_text="Seconds in OPEN of the trading day, in any process.")
    open_week_s = serializers.FloatField(help_text="Seconds in OPEN since Monday.")
    last_failure = LastFailureSerializer(allow_null=True)
    settings = JSON(help_text="What the console tunes; processes have their own for the rest.")
    version = serializers.IntegerField(help_text="Of the newest change that processes are told of.")


class BreakerPageSerializer(serializers.Serializer[Any]):
    results = BreakerSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ProcessSerializer(serializers.ModelSerializer[Any]):
    """What one process says of the breaker."""

    name = serializers.CharField(source="process.name")
    instance = serializers.CharField(source="process.instance")
    host = serializers.CharField(source="process.stream.host", default="")
    pid = serializers.IntegerField(source="process.stream.pid", default=None, allow_null=True)
    forced = serializers.SerializerMethodField()
    applied = serializers.IntegerField(
        source="process.applied", help_text="The newest version it has applied."
    )
    dropped = serializers.IntegerField(source="process.dropped", help_text="Transitions it had to give up.")
    config = JSON(help_text="In force.")
    own_config = JSON(help_text="As its code has it.")

    class Meta:
        model = BreakerState
        fields = (
            *("name", "instance", "host", "pid", "state", "forced", "since", "failing_since", "reported_at"),
            *(
                "applied",
                "dropped",
                "generation",
                "success",
                "failure",
                "slow",
                "ignored",
                "rejected",
                "calls",
            ),
            *(
                "failure_rate",
                "slow_rate",
                "failure_type",
                "failure_text",
                "failure_at",
                "config",
                "own_config",
            ),
        )

    def get_forced(self, row: BreakerState) -> str | None:
        return row.forced or None


class TransitionSerializer(serializers.ModelSerializer[BreakerTransition]):
    class Meta:
        model = BreakerTransition
        fields = (
            *("id", "at", "client", "instance", "seq", "from_state", "to_state", "in_previous_s", "why"),
            *("cause_type", "cause_text", "counts", "received_at"),
        )


class TransitionPageSerializer(serializers.Serializer[Any]):
    results = TransitionSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class AppliedSerializer(serializers.Serializer[Any]):
    client = serializers.CharField()
    instance = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True, help_text="Null: not applied yet.")


class CommandSerializer(serializers.ModelSerializer[BreakerCommand]):
    kind = serializers.ChoiceField(choices=CommandKind.choices)
    processes = AppliedSerializer(many=True, help_text="Those that were there.")

    class Meta:
        model = BreakerCommand
        fields = ("id", "kind", "version", "at", "until", "reason", "by", "processes")


class BreakerDetailSerializer(BreakerSerializer):
    """`clients`: the processes that are there, the worst first; `commands`: the newest, those to all breakers included."""

    clients = ProcessSerializer(many=True)
    commands = CommandSerializer(many=True)


class _ToldSerializer(serializers.Serializer[Any]):
    """What became of a command within a second."""

    command = serializers.IntegerField()
    applied = serializers.IntegerField(help_text="Processes that have applied it by now.")
    of = serializers.IntegerField(help_text="Processes that were there.")
    waiting = serializers.ListField(child=serializers.CharField(), help_text="Names of those that have not.")
    warnings = serializers.ListField(child=serializers.CharField())


class ToldSerializer(_ToldSerializer, BreakerSerializer):
    """The breaker after a command, and how far that has come."""


class ToldAllSerializer(_ToldSerializer):
    """How far a command to all breakers has come."""

    version = serializers.IntegerField()
    states = serializers.DictField(child=serializers.IntegerField(), help_text="Breakers by state.")


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class ForceSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=2000)
    expires_in = serializers.IntegerField(
        required=False, min_value=1, max_value=30 * 86_400, help_text="Seconds; or `until`."
    )
    until = serializers.DateTimeField(required=False, help_text="Both missing: until it is released.")
