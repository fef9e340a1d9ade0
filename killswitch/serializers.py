"""What the kill switch's API answers, and how the OpenAPI document describes what it takes."""

from typing import Any

from rest_framework import serializers

from killswitch.choices import CommandKind, CommandState, Mode, ProofState, Reason
from killswitch.models import Activation, Command

JSON = serializers.JSONField
SWITCH_STATES = ("armed", "stopping", "stopped")


class ProofSerializer(serializers.Serializer[Any]):
    client_id = serializers.IntegerField()
    name = serializers.CharField()
    instance = serializers.CharField()
    host = serializers.CharField(allow_blank=True)
    pid = serializers.IntegerField(allow_null=True)
    version = serializers.CharField(allow_blank=True)
    scopes = serializers.ListField(child=serializers.CharField())
    connected = serializers.BooleanField()
    lease = serializers.ChoiceField(choices=("held", "expired", "unknown"))
    acknowledged_epoch = serializers.IntegerField()
    first_seen = serializers.DateTimeField()
    last_seen = serializers.DateTimeField()
    proof = serializers.ChoiceField(
        choices=ProofState.choices, allow_null=True, help_text="Null: takes no part."
    )
    proof_ms = serializers.FloatField(allow_null=True, help_text="Milliseconds from the stop to the proof.")
    proof_at = serializers.DateTimeField(allow_null=True)
    callbacks = serializers.ListField(
        child=serializers.DictField(), help_text="Results: name, ok, ms, error."
    )
    open_orders = serializers.IntegerField(allow_null=True, help_text="At the venue; null: not known.")
    positions = JSON(allow_null=True, help_text="Symbol to quantity; null: not known.")
    last_order = serializers.CharField(allow_blank=True)
    exposure_at = serializers.DateTimeField(allow_null=True)
    local_stop = JSON(allow_null=True, help_text="A stop made on the trading host: reason, message.")
    override = JSON(allow_null=True, help_text="The emergency override is on in this process: at, message.")


class ScopeStateSerializer(serializers.Serializer[Any]):
    scope = serializers.CharField()
    mode = serializers.ChoiceField(choices=Mode.choices)
    state = serializers.ChoiceField(choices=SWITCH_STATES)
    reason = serializers.ChoiceField(choices=Reason.choices)
    message = serializers.CharField(allow_blank=True)
    metadata = serializers.DictField()
    since = serializers.DateTimeField()
    by = serializers.CharField()
    activation_id = serializers.IntegerField()
    epoch = serializers.IntegerField()
    time_to_stop_ms = serializers.FloatField(allow_null=True)
    term_ms = serializers.IntegerField()
    deadline = serializers.DateTimeField(
        allow_null=True, help_text="From then on no process covered may trade."
    )
    ended_at = serializers.DateTimeField(allow_null=True)
    proven = serializers.IntegerField()
    total = serializers.IntegerField()


class StatusSerializer(serializers.Serializer[Any]):
    is_active = serializers.BooleanField(help_text="Whether the scope `global` is stopped.")
    trading_allowed = serializers.BooleanField(
        help_text="Whether new orders are allowed, as far as `global` goes."
    )
    mode = serializers.ChoiceField(choices=Mode.choices)
    epoch = serializers.IntegerField(help_text="Grows with every stop, re-arm, drill and command.")
    reason = serializers.ChoiceField(choices=Reason.choices, allow_null=True)
    message = serializers.CharField(allow_null=True, allow_blank=True)
    metadata = serializers.DictField()
    activated_at = serializers.DateTimeField(allow_null=True)
    activated_by = serializers.CharField(allow_null=True)
    state = serializers.ChoiceField(
        choices=SWITCH_STATES, help_text="`stopped` only when every process is proven."
    )
    time_to_stop_ms = serializers.FloatField(allow_null=True, help_text="From the stop to the last proof.")
    term_ms = serializers.IntegerField(help_text="The bound: no lease lasts longer.")
    activation_id = serializers.IntegerField(allow_null=True)
    proof_of = serializers.IntegerField(
        allow_null=True, help_text="The activation that the proofs below belong to."
    )
    proven = serializers.IntegerField()
    total = serializers.IntegerField()
    deadline = serializers.DateTimeField(allow_null=True, help_text="From then on no process may trade.")
    scopes = ScopeStateSerializer(many=True, help_text="All that are not ACTIVE.")
    drill = ScopeStateSerializer(allow_null=True)
    clients = ProofSerializer(many=True)
    server_time = serializers.DateTimeField()


class ChangedStatusSerializer(StatusSerializer):
    """The status after a stop or re-arm; `activation` is the episode it concerned."""

    changed = serializers.BooleanField(help_text="False: it was so already.")
    activation = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())


class ActivationSerializer(serializers.ModelSerializer[Activation]):
    class Meta:
        model = Activation
        fields = (
            "id", "scope", "mode", "drill", "epoch", "reason", "message", "metadata", "warnings", "activated_at", "confirmed_at", "activated_by",
            "term_ms", "stopped_at", "time_to_stop_ms", "ended_at", "ended_by", "ended_message",
        )  # fmt: skip


class ActivationProofSerializer(serializers.Serializer[Any]):
    client_id = serializers.IntegerField()
    name = serializers.CharField(source="client.name")
    instance = serializers.CharField(source="client.instance")
    proof = serializers.ChoiceField(choices=ProofState.choices, source="state")
    proof_ms = serializers.FloatField(source="ms", allow_null=True)
    proof_at = serializers.DateTimeField(source="at", allow_null=True)
    callbacks = serializers.ListField(child=serializers.DictField())


class CommandResultSerializer(serializers.Serializer[Any]):
    client_id = serializers.IntegerField()
    name = serializers.CharField(source="client.name")
    state = serializers.ChoiceField(choices=CommandState.choices)
    cancelled = serializers.IntegerField(allow_null=True)
    left = serializers.IntegerField(allow_null=True)
    unknown = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)


class CommandSerializer(serializers.ModelSerializer[Command]):
    results = CommandResultSerializer(many=True)

    class Meta:
        model = Command
        fields = ("id", "kind", "epoch", "activation", "issued_at", "issued_by", "results")


class ActivationDetailSerializer(ActivationSerializer):
    acknowledgements = ActivationProofSerializer(many=True)
    commands = CommandSerializer(many=True)

    class Meta(ActivationSerializer.Meta):
        fields = (*ActivationSerializer.Meta.fields, "acknowledgements", "commands")  # type: ignore[assignment]  # longer


class ActivationPageSerializer(serializers.Serializer[Any]):
    results = ActivationSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ClientPageSerializer(serializers.Serializer[Any]):
    results = ProofSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class CommandPageSerializer(serializers.Serializer[Any]):
    results = CommandSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ActivateSerializer(serializers.Serializer[Any]):
    """All fields may be missing, and none is ever a ground to refuse: what cannot be read is a stop of everything, with a warning."""

    reason = serializers.ChoiceField(choices=Reason.choices, required=False, default=Reason.MANUAL)
    message = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    metadata = serializers.DictField(required=False)
    scope = serializers.CharField(
        required=False,
        default="global",
        help_text="`global`, or `account:`, `venue:`, `strategy:`, `symbol:` and a name.",
    )
    mode = serializers.ChoiceField(
        choices=(Mode.HALTED, Mode.REDUCE_ONLY), required=False, default=Mode.HALTED
    )
    drill = serializers.BooleanField(required=False, default=False)


class DeactivateSerializer(serializers.Serializer[Any]):
    message = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="What was wrong, and why it is safe now."
    )
    scope = serializers.CharField(required=False, default="global")


class AcknowledgeSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    instance = serializers.CharField(max_length=32)
    epoch = serializers.IntegerField(min_value=0)
    activations = serializers.ListField(child=serializers.IntegerField(min_value=0), max_length=100)


class AcknowledgedSerializer(serializers.Serializer[Any]):
    acknowledged = serializers.ListField(child=serializers.IntegerField())
    unknown = serializers.ListField(child=serializers.IntegerField())


class ReportSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=64)
    instance = serializers.CharField(max_length=32)
    callbacks = serializers.ListField(
        child=serializers.DictField(), required=False, help_text="Each: activation, name, ok, ms, error."
    )
    exposure = JSON(required=False, allow_null=True, help_text="open_orders, positions, last_order.")
    commands = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="Each: id, ok, cancelled, left, unknown, error.",
    )
    local_stop = JSON(required=False, allow_null=True)
    override = JSON(required=False, allow_null=True)
    closing = serializers.BooleanField(
        required=False, help_text="The process ends of its own accord, and is not to be missed."
    )


class IssueCommandSerializer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=CommandKind.choices)
    clients = serializers.ListField(
        child=serializers.IntegerField(),
        required=False,
        allow_null=True,
        help_text="Their ids; null or missing: all that are connected.",
    )
    message = serializers.CharField(required=False, allow_blank=True, max_length=2000)


class EmptySerializer(serializers.Serializer[Any]):
    pass
