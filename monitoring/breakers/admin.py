"""The settings of breakers are tuned here, through their service, with a reason. Breakers appear by being reported."""

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from monitoring.breakers import services
from monitoring.breakers.models import BreakerTransition, CircuitBreaker
from monitoring.breakers.services.tuning import TUNED
from monitoring.breakers.tuning import problems
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.audit.reasoned import ReasonedForm
from opsconsole.audit.tuned_admin import FixedRows, Tuned, say_outcome


class BreakerForm(ReasonedForm):
    """`revision` is the one that was shown, so that nobody overwrites what somebody else changed meanwhile."""

    revision = forms.IntegerField(widget=forms.HiddenInput, initial=1)

    class Meta:
        model = CircuitBreaker
        fields = (*TUNED, "revision")

    def clean_revision(self) -> int:
        shown: int = self.cleaned_data["revision"]
        stored = CircuitBreaker.objects.filter(pk=self.instance.pk).values_list("revision", flat=True).first()
        if shown != stored:
            raise forms.ValidationError("Somebody changed these settings meanwhile: read the page again.")
        return shown

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        given = {name: value for name in TUNED if (value := cleaned.get(name)) not in (None, "")}
        for field, problem in problems(given, services.own_configs(self.instance)).items():
            self.add_error(field, problem)
        return cleaned

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        return {name: self.cleaned_data[name] for name in TUNED}


@admin.register(CircuitBreaker)
class CircuitBreakerAdmin(FixedRows, Tuned, admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    tuner = "monitoring.tune_circuitbreaker"
    form = BreakerForm
    list_display = (
        *("name", "quorum", "failure_threshold", "timeout_seconds", "failure_rate_threshold", "hold"),
        *("hold_until", "opened_at", "updated_at", "updated_by"),
    )
    list_filter = ("hold",)
    search_fields = ("name",)

    def save_model(
        self, request: HttpRequest, obj: CircuitBreaker, form: "ModelForm[CircuitBreaker]", change: bool
    ) -> None:
        assert isinstance(form, BreakerForm)  # noqa: S101  for mypy
        say_outcome(
            request,
            lambda: services.tune(
                actor=actor_of(request),
                name=obj.name,
                values=form.values(),
                reason=form.cleaned_data["reason"],
                revision=form.cleaned_data["revision"],
            ),
        )


@admin.register(BreakerTransition)
class BreakerTransitionAdmin(ReadOnlyAdmin):
    list_display = ("at", "breaker", "client", "from_state", "to_state", "why", "cause_type", "in_previous_s")
    list_filter = ("to_state",)
    list_select_related = ("breaker",)
    search_fields = ("=breaker__name", "=client")
    ordering = ("-at", "-id")
