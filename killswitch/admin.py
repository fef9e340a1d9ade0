"""The kill switch in the admin: to read. Stopping and re-arming have their own page."""

from django.contrib import admin

from killswitch.models import Acknowledgement, Activation, Command, CommandResult, Switch, TradingClient
from opsconsole.audit.readonly import ReadOnlyAdmin


@admin.register(Switch)
class SwitchAdmin(ReadOnlyAdmin):
    list_display = ("scope", "mode", "epoch", "since", "by", "activation")
    list_filter = ("mode",)
    list_select_related = ("activation",)


@admin.register(Activation)
class ActivationAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "scope",
        "mode",
        "drill",
        "reason",
        "activated_at",
        "activated_by",
        "time_to_stop_ms",
        "ended_at",
        "ended_by",
    )
    list_filter = ("drill", "mode", "reason")
    search_fields = ("message", "activated_by", "ended_message")


@admin.register(TradingClient)
class TradingClientAdmin(ReadOnlyAdmin):
    list_display = (
        "name",
        "host",
        "pid",
        "version",
        "connected",
        "last_seen",
        "acknowledged_epoch",
        "open_orders",
    )
    search_fields = ("name", "instance", "host")

    @admin.display(boolean=True)
    def connected(self, client: TradingClient) -> bool:
        return client.connected


@admin.register(Acknowledgement)
class AcknowledgementAdmin(ReadOnlyAdmin):
    list_display = ("activation", "client", "state", "ms", "at")
    list_filter = ("state",)
    list_select_related = ("activation", "client")


@admin.register(Command)
class CommandAdmin(ReadOnlyAdmin):
    list_display = ("id", "kind", "issued_at", "issued_by", "activation")
    list_filter = ("kind",)
    list_select_related = ("activation",)


@admin.register(CommandResult)
class CommandResultAdmin(ReadOnlyAdmin):
    list_display = ("command", "client", "state", "cancelled", "left", "unknown", "error", "at")
    list_filter = ("state",)
    list_select_related = ("command", "client")
