"""The kill switch in the admin: to read. Stopping and re-arming have their own page; when drills are due is tuned here."""

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from killswitch import services
from killswitch.admin_forms import DrillRuleForm
from killswitch.models import (
    Acknowledgement,
    Activation,
    Command,
    CommandResult,
    DrillRule,
    Switch,
    TradingClient,
)
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.audit.tuned_admin import FixedRows, Tuned, say_outcome


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


@admin.register(DrillRule)
class DrillRuleAdmin(FixedRows, Tuned, admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    tuner = "killswitch.tune_drills"
    form = DrillRuleForm
    list_display = ("__str__", "enabled", "every", "day", "days", "at", "zone", "updated_at", "updated_by")

    def save_model(
        self, request: HttpRequest, obj: DrillRule, form: "ModelForm[DrillRule]", change: bool
    ) -> None:
        assert isinstance(form, DrillRuleForm)  # noqa: S101  for mypy
        say_outcome(
            request,
            lambda: services.change_drill_rule(
                actor=actor_of(request),
                values=form.values(),
                reason=form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
            ),
        )
