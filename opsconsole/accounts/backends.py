"""Who may sign in on a page."""

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser

from opsconsole.accounts.models import User


class PeopleBackend(ModelBackend):
    """Django's own backend, without service accounts: those act through tokens alone, whatever password they might have."""

    def user_can_authenticate(self, user: User | AnonymousUser | None) -> bool:
        return super().user_can_authenticate(user) and not getattr(user, "is_service", False)
