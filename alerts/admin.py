"""Rules, label rules and response times are tuned here, through their services; alerts and silences are to read."""

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.functional import cached_property

from alerts import admin_channels, admin_people  # noqa: F401  each registers its own
from alerts.admin_forms import LabelRuleForm, ResponseTimeForm, RuleForm
from alerts.admin_replay import ReplayMixin
from alerts.models import Alert, AlertRule, LabelRule, ResponseTime, Silence
from alerts.services import rules
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.audit.tuned_admin import FixedRows, say_outcome

# A delete has no form to write a reason in.
DELETED = "deleted in the admin"
COUNTED = 10_000


@admin.register(AlertRule)
class AlertRuleAdmin(ReplayMixin, FixedRows, admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    form = RuleForm
    list_display = (
        *("category", "enabled", "default_priority", "min_priority", "max_per_hour", "dedupe_window_minutes"),
        *("quiet_start", "quiet_end", "quiet_passes", "updated_at", "updated_by"),
    )

    def save_model(
        self, request: HttpRequest, obj: AlertRule, form: "ModelForm[AlertRule]", change: bool
    ) -> None:
        assert isinstance(form, RuleForm)  # noqa: S101  for mypy
        say_outcome(
            request,
            lambda: rules.change(
                actor=actor_of(request),
                category=obj.category,
                values=form.values(),
                reason=form.cleaned_data["reason"],
                version=form.cleaned_data["version"],
            ),
        )


@admin.register(ResponseTime)
class ResponseTimeAdmin(FixedRows, admin.ModelAdmin):  # type: ignore[type-arg]  # likewise
    form = ResponseTimeForm
    list_display = ("priority", "minutes", "next_business_day", "escalate_every_minutes")

    def save_model(
        self, request: HttpRequest, obj: ResponseTime, form: "ModelForm[ResponseTime]", change: bool
    ) -> None:
        assert isinstance(form, ResponseTimeForm)  # noqa: S101  for mypy
        rules.change_response_time(
            actor=actor_of(request),
            priority=obj.priority,
            values=form.values(),
            reason=form.cleaned_data["reason"],
        )


@admin.register(LabelRule)
class LabelRuleAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """What labels from outside mean. The first rule that matches and gives a category gives it; so with the priority."""

    form = LabelRuleForm
    list_display = ("position", "enabled", "matched", "category", "priority", "comment")
    list_display_links = ("position", "matched")

    @admin.display(description="matchers")
    def matched(self, rule: LabelRule) -> str:
        return str(LabelRuleForm(instance=rule).initial["matchers"]).replace("\n", ", ")

    def save_model(
        self, request: HttpRequest, obj: LabelRule, form: "ModelForm[LabelRule]", change: bool
    ) -> None:
        assert isinstance(form, LabelRuleForm)  # noqa: S101  for mypy
        actor, values, reason = actor_of(request), form.values(), form.cleaned_data["reason"]
        if change:
            rules.change_label_rule(actor=actor, label_rule_id=obj.pk, values=values, reason=reason)
        else:
            obj.pk = rules.create_label_rule(actor=actor, values=values, reason=reason).pk

    def delete_model(self, request: HttpRequest, obj: LabelRule) -> None:
        rules.delete_label_rule(actor=actor_of(request), label_rule_id=obj.pk, reason=DELETED)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[LabelRule]) -> None:
        for rule in queryset:
            self.delete_model(request, rule)


@admin.register(Silence)
class SilenceAdmin(ReadOnlyAdmin):
    list_display = ("id", "starts_at", "ends_at", "created_by", "owner", "comment")
    list_select_related = ("owner",)
    ordering = ("-ends_at",)


class NewestPaginator(Paginator):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """Counts no further than the pages that anybody turns: a million alerts take their time to count."""

    @cached_property
    def count(self) -> int:
        rows: QuerySet[Alert] = self.object_list  # type: ignore[assignment]  # the admin's
        return rows[:COUNTED].count()


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    paginator = NewestPaginator
    list_display = (
        "id",
        "category",
        "priority",
        "title",
        "state",
        "decision",
        "count",
        "first_at",
        "last_at",
    )
    list_filter = ("category", "priority", "decision", "state")
    search_fields = ("=id", "title__startswith")
    ordering = ("-id",)
