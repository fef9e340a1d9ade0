"""Channels as the API shows them. Secrets go in, and never come out."""

from typing import Any

from rest_framework import serializers

from alerts.choices import Category, ChannelKind, DeliveryState, Priority
from alerts.models import Channel, Delivery
from alerts.services.channels import GOES_TO, secret_names


class ChannelSerializer(serializers.ModelSerializer[Channel]):
    settings = serializers.SerializerMethodField()
    goes_to = serializers.SerializerMethodField(help_text="Where it goes, in a few words.")
    secrets = serializers.SerializerMethodField(help_text="The names of those that are set.")
    secrets_readable = serializers.SerializerMethodField(
        help_text="False: they were sealed with another OPSCONSOLE_SECRET_KEY."
    )
    categories = serializers.ListField(child=serializers.ChoiceField(choices=Category.choices))
    fallback = serializers.CharField(source="fallback.name", default=None, allow_null=True)

    class Meta:
        model = Channel
        fields = (
            *("id", "name", "kind", "enabled", "goes_to", "settings", "secrets", "secrets_readable"),
            *("categories", "min_priority", "escalation", "fallback", "version", "created_at", "updated_at"),
            *("last_success_at", "last_failure_at", "last_error", "failures_in_a_row"),
        )

    def get_settings(self, channel: Channel) -> dict[str, Any]:
        return {name: value for name, value in channel.settings.items() if name != GOES_TO}

    def get_goes_to(self, channel: Channel) -> str:
        return str(channel.settings.get(GOES_TO, ""))

    def get_secrets(self, channel: Channel) -> list[str]:
        return secret_names(channel) or []

    def get_secrets_readable(self, channel: Channel) -> bool:
        return secret_names(channel) is not None


class ChannelPageSerializer(serializers.Serializer[Any]):
    results = ChannelSerializer(many=True)
    next = serializers.CharField(allow_null=True)


class ChangeChannelSerializer(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(required=False)
    settings = serializers.DictField(
        required=False,
        help_text="telegram: chat_id, thread_id, updates. slack: channel. email: to, from. Only the members given are changed; null takes one away.",
    )
    secrets = serializers.DictField(
        required=False,
        write_only=True,
        help_text=(
            "telegram: token, webhook_secret. slack: bot_token and signing_secret, or webhook_url. webhook: url, signing_key, "
            "authorization. apprise: url."
        ),
    )
    categories = serializers.ListField(
        child=serializers.ChoiceField(choices=Category.choices), required=False, help_text="None: all."
    )
    min_priority = serializers.ChoiceField(choices=Priority.choices, required=False)
    escalation = serializers.IntegerField(
        required=False, min_value=0, max_value=9, help_text="0: told at once; 1: by the first escalation; …"
    )
    fallback = serializers.CharField(
        required=False, allow_null=True, help_text="Told instead when this one has failed."
    )
    version = serializers.IntegerField(
        required=False, help_text="The one that was read: 409 if it was changed since."
    )
    reason = serializers.CharField(required=False, max_length=2000)


class CreateChannelSerializer(ChangeChannelSerializer):
    name = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField(choices=ChannelKind.choices)
    version = None  # type: ignore[assignment]  # there is none to have read


class ChannelTestedSerializer(serializers.ModelSerializer[Delivery]):
    delivery = serializers.IntegerField(source="id")
    state = serializers.ChoiceField(choices=DeliveryState.choices)

    class Meta:
        model = Delivery
        fields = ("delivery", "state", "attempts", "error", "created_at", "finished_at")
