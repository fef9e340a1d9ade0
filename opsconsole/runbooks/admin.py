"""Runbooks are written here, through their service, with a reason. Incidents are shown, and never changed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet, ModelForm
from django.http import HttpRequest

from alerts.silences import lines_of, parse_lines
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.audit.reasoned import VersionedForm
from opsconsole.audit.tuned_admin import Tuned, say_outcome
from opsconsole.runbooks import services
from opsconsole.runbooks.models import Incident, Runbook, RunbookStep
from opsconsole.runbooks.values import FIELDS, MOST_STEPS, STEP_FIELDS, step_problems

# A delete has no form to write a reason in.
DELETED = "deleted in the admin"
TUNER = "runbooks.tune_runbook"
Texts = forms.Textarea(attrs={"rows": 3, "cols": 60})


class RunbookForm(VersionedForm):
    tuned = FIELDS
    matchers = forms.CharField(
        required=False,
        widget=Texts,
        help_text='Alerts whose labels match every line, as in a silence: breaker=~".+". alertname is the title. '
        "With neither category nor lines it is opened by hand.",
    )

    class Meta:
        model = Runbook
        fields = (*FIELDS, "version")
        help_texts = {
            "slug": "Of its address.",
            "summary": "When to use it, in a sentence.",
            "category": "Empty: alerts of any category.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["matchers"] = "\n".join(lines_of(self.instance.matchers))

    def clean_matchers(self) -> list[dict[str, Any]]:
        try:
            return [matcher.as_json() for matcher in parse_lines(self.cleaned_data["matchers"])]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None


class StepForm(ModelForm):  # type: ignore[type-arg]  # the class takes no parameter at run time
    class Meta:
        model = RunbookStep
        fields = ("position", *STEP_FIELDS)
        widgets = {"text": Texts, "command": forms.Textarea(attrs={"rows": 2, "cols": 60})}
        help_texts = {
            "text": "Paragraphs, - lists, `code`, **bold**, and code between lines of ```.",
            "target": "Of what: a breaker, a component, or the scope of a stop. {{breaker}} is the alert's label of this name.",
            "command": "For a shell. {{console}} is the console's own address; values are percent-encoded.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(name in cleaned for name in STEP_FIELDS):
            step = RunbookStep(**{name: cleaned[name] for name in STEP_FIELDS}, position=1)
            for field, problem in step_problems(step):
                self.add_error(field, problem)
        return cleaned


class StepFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # likewise
    """All steps of a runbook; their order is that of their positions, which need not be without gaps."""

    def clean(self) -> None:
        super().clean()
        if not any(self.errors) and not self.steps():
            raise forms.ValidationError("A runbook has at least one step.")

    def validate_unique(self) -> None:
        """Positions are given anew."""

    def steps(self) -> list[dict[str, Any]]:
        """As the service takes them."""
        rows = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data and not form.cleaned_data.get("DELETE")
        ]
        rows.sort(key=lambda row: row["position"])
        return [{name: row[name] for name in STEP_FIELDS} for row in rows]


class StepInline(Tuned, admin.StackedInline):  # type: ignore[type-arg]  # likewise
    tuner = TUNER
    model = RunbookStep
    form = StepForm
    formset = StepFormSet
    extra = 1
    max_num = MOST_STEPS


@admin.register(Runbook)
class RunbookAdmin(Tuned, admin.ModelAdmin):  # type: ignore[type-arg]  # likewise
    tuner = TUNER
    form = RunbookForm
    inlines = (StepInline,)
    list_display = ("name", "enabled", "category", "meant", "version", "updated_at", "updated_by")
    list_filter = ("enabled",)
    search_fields = ("name", "summary")
    prepopulated_fields = {"slug": ("name",)}

    @admin.display(description="matchers")
    def meant(self, runbook: Runbook) -> str:
        return ", ".join(lines_of(runbook.matchers))

    def save_model(
        self, request: HttpRequest, obj: Runbook, form: "ModelForm[Runbook]", change: bool
    ) -> None:
        """Written with its steps, in `save_related()`."""
        if not change:
            # Django wants a number for the log entry and the steps' foreign key; the service gives it.
            obj.pk = None

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """One write for the runbook and its steps, so that the trail has one event with both."""
        steps = formsets[0].steps()
        actor, values, reason = actor_of(request), form.values(), form.cleaned_data["reason"]
        if not change:
            form.instance.pk = services.create(actor=actor, values=values, steps=steps, reason=reason).pk
        else:
            say_outcome(
                request,
                lambda: services.change(
                    actor=actor,
                    runbook_id=form.instance.pk,
                    values=values,
                    steps=steps,
                    reason=reason,
                    version=form.cleaned_data["version"],
                ),
            )
        # What Django's log entry tells of them.
        for formset in formsets:
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def delete_model(self, request: HttpRequest, obj: Runbook) -> None:
        services.delete(actor=actor_of(request), runbook_id=obj.pk, reason=DELETED)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Runbook]) -> None:
        for runbook in queryset:
            self.delete_model(request, runbook)


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ("id", "title", "started_at", "started_by", "closed_at", "closed_by")
    search_fields = ("title", "summary")
