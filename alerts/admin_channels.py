"""Channels in the admin: made and changed through their service, with a reason; their secrets are never shown."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from alerts.admin_channel_forms import ChannelForm, form_for
from alerts.models import Channel
from alerts.services import channels
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.tuned import ChangedMeanwhile

# A delete and an action have no form to write a reason in.
DELETED = "deleted in the admin"
TESTED = "tested in the admin"
ROUTED = ("enabled", "categories", "min_priority", "escalation", "fallback")


@admin.register(Channel)
class ChannelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    form = ChannelForm
    list_display = (
        *("name", "kind", "enabled", "goes_to", "min_priority", "escalation"),
        *("last_success_at", "last_failure_at", "last_error"),
    )
    list_filter = ("kind", "enabled")
    list_select_related = ("fallback",)
    actions = ("send_test",)

    @admin.display(description="goes to")
    def goes_to(self, channel: Channel) -> str:
        return str(channel.settings.get(channels.GOES_TO, ""))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        return super().get_form(request, obj, change, form=form_for(obj), **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Kind by kind, so that one sees what belongs together."""
        names = list(form_for(obj).declared_fields)
        kinds = dict.fromkeys(name.split("__")[1] for name in names if "__" in name)
        own = [name for name in ("forget",) if name in names]
        return [
            (None, {"fields": ("name", "kind", *ROUTED, "reason", "version")}),
            *(
                (kind.capitalize(), {"fields": [*[name for name in names if f"__{kind}__" in name], *own]})
                for kind in kinds
            ),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return () if obj is None else ("name", "kind")

    def save_model(
        self, request: HttpRequest, obj: Channel, form: "ModelForm[Channel]", change: bool
    ) -> None:
        assert isinstance(form, ChannelForm)  # noqa: S101  for mypy
        actor, reason = actor_of(request), form.cleaned_data["reason"]
        name, kind, values = form.channel_name, form.kind, form.values()
        try:
            if change:
                version = form.cleaned_data["version"]
                channels.change(actor=actor, name=name, values=values, reason=reason, version=version)
            else:
                made = channels.create(actor=actor, name=name, kind=kind, values=values, reason=reason)
                obj.pk, obj.name = made.pk, made.name
        except (ChangedMeanwhile, channels.ChannelExists) as error:
            self.message_user(request, f"Nothing was saved. {error}", messages.ERROR)

    def delete_model(self, request: HttpRequest, obj: Channel) -> None:
        channels.delete(actor=actor_of(request), name=obj.name, reason=DELETED)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            self.delete_model(request, channel)

    @admin.action(description="Send a test", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Channel]) -> None:
        for channel in queryset:
            channels.test(actor=actor_of(request), name=channel.name, reason=TESTED)
        self.message_user(request, "Tests are on their way; what came of them is on the channels page.")
