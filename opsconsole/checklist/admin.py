"""When the checklist is due is tuned here; its days are to read."""

from typing import Any

from django.contrib import admin, messages
from django.forms import ModelForm
from django.http import HttpRequest

from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.checklist import services
from opsconsole.checklist.forms import RuleForm
from opsconsole.checklist.models import ChecklistDay, ChecklistRule


@admin.register(ChecklistRule)
class ChecklistRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """One row: none is added or deleted."""

    form = RuleForm
    list_display = ("__str__", "enabled", "by", "zone", "days", "cache_hit_pct", "updated_at", "updated_by")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("checklist.tune_checklist"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ChecklistRule, form: "ModelForm[ChecklistRule]", change: bool
    ) -> None:
        assert isinstance(form, RuleForm)  # noqa: S101  for mypy
        try:
            _, changed = services.change_rule(
                actor=actor_of(request),
                values=form.values(),
                reason=form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
            )
        except services.ChangedMeanwhile as error:
            self.message_user(request, f"Nothing was saved. {error}", messages.ERROR)
            return
        if not changed:
            self.message_user(request, "Nothing was changed.", messages.WARNING)


@admin.register(ChecklistDay)
class ChecklistDayAdmin(ReadOnlyAdmin):
    list_display = ("day", "signed_at", "signed_by", "not_green", "comment", "told_at")
    date_hierarchy = "day"
