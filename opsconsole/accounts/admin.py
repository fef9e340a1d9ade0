"""Accounts and API tokens in the admin. Every change goes into the audit trail."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.models import ApiToken, User
from opsconsole.accounts.services import create_token, revoke_token
from opsconsole.audit.services import record

admin.site.unregister(Group)


class AuditedAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """Writes what Django's own log gets into the audit trail too, which nobody can delete."""

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        _record(request, obj, "changed", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[Any]) -> Any:
        for obj in queryset:
            _record(request, obj, "deleted", "")
        return super().log_deletions(request, queryset)


@transaction.atomic
def _record(request: HttpRequest, obj: Model, verb: str, message: Any) -> None:
    """`message` names the fields that were changed, never their values: one of them may be a password."""
    record(
        actor=actor_of(request),
        action=f"accounts.{obj._meta.model_name}_{verb}",
        obj=obj,
        reason="",
        metadata={"admin": message},
    )


@admin.register(Group)
class RoleAdmin(AuditedAdmin, DjangoGroupAdmin):
    pass


@admin.register(User)
class UserAdmin(AuditedAdmin, DjangoUserAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    list_display = (
        "username",
        "first_name",
        "last_name",
        "is_service",
        "is_active",
        "is_superuser",
        "last_login",
    )
    list_filter = ("is_service", "is_active", "groups")
    fieldsets = (*(DjangoUserAdmin.fieldsets or ()), ("Service account", {"fields": ("is_service",)}))


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """A token is made and revoked, never changed or deleted. Its text is on the page that answers its making, and nowhere after."""

    list_display = (
        "name",
        "user",
        "prefix",
        "created_at",
        "created_by",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("user",)
    list_select_related = ("user",)
    fields = ("user", "name", "expires_at")
    actions = ("revoke",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: "ModelForm[ApiToken]", change: bool
    ) -> None:
        made, raw = create_token(
            actor=actor_of(request), user=obj.user, name=obj.name, expires_at=obj.expires_at
        )
        obj.pk, obj.prefix = made.pk, made.prefix
        # For `response_add`, which has this same object, and no longer.
        vars(obj)["raw"] = raw

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        page = {"title": "API token", "token": obj, "raw": vars(obj)["raw"]}
        context = self.admin_site.each_context(request) | page
        return TemplateResponse(request, "admin/accounts/apitoken/made.html", context)

    @admin.action(description="Revoke", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        ended = sum(
            revoke_token(actor=actor_of(request), token=token, reason="revoked in the admin")
            for token in queryset
        )
        self.message_user(request, f"{ended} revoked.")
