"""Chat accounts of people, and the readers of Telegram's bots, in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from alerts.models import BotPoll, ChatLink
from alerts.services.linking import check_link, link, unlink
from opsconsole.accounts.actor import actor_of
from opsconsole.accounts.models import User
from opsconsole.audit.readonly import ReadOnlyAdmin


class ChatLinkForm(forms.ModelForm):  # type: ignore[type-arg]  # the class takes no parameter at run time
    reason = forms.CharField(
        max_length=2000, help_text="For the audit trail: how you know whose account it is."
    )

    class Meta:
        model = ChatLink
        fields = ("user", "kind", "external_id")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        users = self.fields["user"]
        if isinstance(users, forms.ModelChoiceField):
            users.queryset = User.objects.filter(is_active=True, is_service=False).order_by("username")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                check_link(cleaned["kind"], cleaned["external_id"])
            except ValueError as error:
                field, _, problem = str(error).partition(": ")
                raise ValidationError({field: f"It {problem}."}) from None
        return cleaned


@admin.register(ChatLink)
class ChatLinkAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """A link is made and ended, never changed."""

    form = ChatLinkForm
    list_display = ("user", "kind", "external_id", "created_at", "created_by")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("user__username", "external_id")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ChatLink, form: Any, change: bool) -> None:
        made = link(
            actor=actor_of(request),
            user_id=obj.user_id,
            kind=obj.kind,
            external_id=obj.external_id,
            reason=form.cleaned_data["reason"],
        )
        obj.pk = made.pk

    def delete_model(self, request: HttpRequest, obj: ChatLink) -> None:
        unlink(actor=actor_of(request), link_id=obj.pk, reason="Deleted in the admin")

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ChatLink]) -> None:
        for obj in queryset:
            self.delete_model(request, obj)


@admin.register(BotPoll)
class BotPollAdmin(ReadOnlyAdmin):
    list_display = ("bot", "last_success_at", "last_failure_at", "failures_in_a_row", "last_error", "next_at")
