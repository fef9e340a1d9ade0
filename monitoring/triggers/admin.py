"""Triggers are tuned here, through their service, with a reason."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from monitoring.triggers import services
from monitoring.triggers.models import Trigger
from monitoring.triggers.values import FIELDS, problems
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.reasoned import VersionedForm
from opsconsole.audit.tuned_admin import Tuned, say_outcome

# A delete has no form to write a reason in.
DELETED = "deleted in the admin"


class TriggerForm(VersionedForm):
    tuned = FIELDS
    labels = forms.JSONField(
        required=False, initial=dict, help_text='Such as {"ticker": "AAPL"}. {}: whatever its labels are.'
    )

    class Meta:
        model = Trigger
        fields = (*FIELDS, "version")
        help_texts = {
            "metric": "As /metrics has it, or circuit_breaker_open_for_seconds.",
            "client": "Empty: every trading process.",
            "window_seconds": "For an increase within the window.",
            "percent_of": "A gauge such as portfolio_value_usd: the threshold is then in percent of its sum.",
            "second_threshold": "Trips at once, without confirmations.",
            "clear_threshold": "Over when the value is back beyond it. Empty: beyond the threshold.",
            "confirmations": "So many new values in a row.",
            "stale_seconds": "A value that is older is a missing one. 0: it never is.",
            "priority": "Empty: the category's own.",
            "stop_scope": "global, or such as symbol:AAPL.",
        }

    def clean_labels(self) -> dict[str, Any]:
        labels: dict[str, Any] = self.cleaned_data["labels"] or {}
        return labels

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(name in cleaned for name in FIELDS):
            for wrong in problems(cleaned):
                self.add_error(wrong.field, wrong.problem)
        return cleaned


@admin.register(Trigger)
class TriggerAdmin(Tuned, admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    tuner = "monitoring.tune_trigger"
    form = TriggerForm
    list_display = (
        *("name", "enabled", "metric", "aggregate", "comparison", "threshold", "second_threshold", "action"),
        *("condition", "value", "problem", "updated_at", "updated_by"),
    )
    list_filter = ("enabled", "action")
    list_select_related = ("state",)

    @admin.display
    def condition(self, trigger: Trigger) -> str:
        return trigger.state.condition

    @admin.display(description="newest value")
    def value(self, trigger: Trigger) -> float | None:
        return trigger.state.value

    @admin.display
    def problem(self, trigger: Trigger) -> str:
        return trigger.state.problem

    def save_model(
        self, request: HttpRequest, obj: Trigger, form: "ModelForm[Trigger]", change: bool
    ) -> None:
        assert isinstance(form, TriggerForm)  # noqa: S101  for mypy
        actor, values, reason = actor_of(request), form.values(), form.cleaned_data["reason"]
        if not change:
            obj.pk = services.create(actor=actor, values=values, reason=reason).pk
            return
        version = form.cleaned_data["version"]
        say_outcome(
            request,
            lambda: services.change(
                actor=actor, trigger_id=obj.pk, values=values, reason=reason, version=version
            ),
        )

    def delete_model(self, request: HttpRequest, obj: Trigger) -> None:
        services.delete(actor=actor_of(request), trigger_id=obj.pk, reason=DELETED)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Trigger]) -> None:
        for trigger in queryset:
            self.delete_model(request, trigger)
