"""Health is tuned here, and targets are added, through its services, with a reason."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from monitoring.health import services
from monitoring.health.choices import Kind
from monitoring.health.forms import ComponentForm, form_of
from monitoring.health.models import HealthChange, HealthComponent
from opsconsole.accounts.actor import actor_of
from opsconsole.audit.readonly import ReadOnlyAdmin
from opsconsole.audit.tuned_admin import Tuned, say_outcome

# A delete has no form to write a reason in.
REMOVED = "removed in the admin"


@admin.register(HealthComponent)
class HealthComponentAdmin(Tuned, admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    tuner = "monitoring.tune_health"
    list_display = (
        *("name", "kind", "enabled", "essential", "now", "message", "interval_seconds", "failures"),
        *("priority", "updated_at", "updated_by"),
    )
    list_filter = ("kind", "enabled", "essential")
    search_fields = ("name", "slug")

    @admin.display(description="status")
    def now(self, component: HealthComponent) -> str:
        return component.status_at(timezone.now())

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ComponentForm]:
        return form_of(obj)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": list(form_of(obj).base_fields)})]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_tune(request) and (obj is None or services.is_removable(obj))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Its history goes with it, which nobody could delete by itself; the audit trail keeps what happened."""
        return [str(obj) for obj in objs], {}, set(), []

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Deleting many at once would ask for what cannot be deleted, too."""
        return {}

    def save_model(
        self, request: HttpRequest, obj: HealthComponent, form: "ModelForm[HealthComponent]", change: bool
    ) -> None:
        assert isinstance(form, ComponentForm)  # noqa: S101  for mypy
        cleaned, reason = form.cleaned_data, form.cleaned_data["reason"]
        authorization = cleaned.get("authorization", "")

        def save() -> tuple[HealthComponent, bool]:
            if not change:
                made = services.add(
                    actor=actor_of(request),
                    kind=Kind(cleaned["kind"]),
                    name=cleaned["name"],
                    values=form.values(),
                    settings=form.settings(),
                    authorization=authorization,
                    reason=reason,
                )
                obj.pk = made.pk
                return made, True
            return services.change(
                actor=actor_of(request),
                component_id=obj.pk,
                values=form.values(),
                settings=form.settings(),
                authorization="" if cleaned.get("drop_authorization") else authorization or None,
                reason=reason,
                version=cleaned["version"],
            )

        say_outcome(request, save)

    def delete_model(self, request: HttpRequest, obj: HealthComponent) -> None:
        services.remove(actor=actor_of(request), component_id=obj.pk, reason=REMOVED)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HealthComponent]) -> None:
        for component in queryset:
            self.delete_model(request, component)


@admin.register(HealthChange)
class HealthChangeAdmin(ReadOnlyAdmin):
    list_display = ("at", "component", "before", "after", "message", "lasted_seconds")
    list_select_related = ("component",)
    list_filter = ("after",)
