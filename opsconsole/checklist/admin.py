"""When the checklist is due is tuned here; its days are to read."""

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.audit.tuned_admin import FixedRows, Tuned, say_outcome
from opsconsole.checklist import services
from opsconsole.checklist.forms import RuleForm
from opsconsole.checklist.models import ChecklistDay, ChecklistRule


@admin.register(ChecklistRule)
class ChecklistRuleAdmin(FixedRows, Tuned, admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    tuner = "checklist.tune_checklist"
    form = RuleForm
    list_display = ("__str__", "enabled", "by", "zone", "days", "cache_hit_pct", "updated_at", "updated_by")

    def save_model(
        self, request: HttpRequest, obj: ChecklistRule, form: "ModelForm[ChecklistRule]", change: bool
    ) -> None:
        assert isinstance(form, RuleForm)  # noqa: S101  for mypy
        say_outcome(
            request,
            lambda: services.change_rule(
                actor=actor_of(request),
                values=form.values(),
                reason=form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
            ),
        )


@admin.register(ChecklistDay)
class ChecklistDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "signed_at", "signed_by", "not_green", "comment", "told_at")
    date_hierarchy = "day"
