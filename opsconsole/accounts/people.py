"""Who may do what, for the sentence that explains a refusal."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from opsconsole.accounts.models import User

View = Callable[..., HttpResponse]
SHOWN = 8


def who_may(permission: str) -> list[str]:
    """The names of people (not service accounts) with `app.codename`, at most SHOWN of them."""
    return [person.display_name for person in people_who_may(permission)[:SHOWN]]


def who_else_may(user: User | AnonymousUser, *permissions: str) -> list[str] | None:
    """Who may, for whoever may not do all of this; None for whoever may. They are named by the first of the permissions."""
    return None if user.has_perms(permissions) else who_may(permissions[0])


def people_who_may(permission: str) -> QuerySet[User]:
    """The people (not service accounts) with `app.codename`, by name."""
    people = User.objects.with_perm(permission, backend="opsconsole.accounts.backends.PeopleBackend")
    return people.filter(is_service=False).order_by("username")


def needs(permission: str, *, what: str, role: str) -> Callable[[View], View]:
    """A view for signed-in people with `permission`. Anyone else is told what is missing and who has it (403).

    `what`: the act, such as "Re-arming"; `role`: who may, such as "a supervisor".
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.user.has_perm(permission):
                return view(request, *args, **kwargs)
            context = {"what": what, "role": role, "people": who_may(permission)}
            return render(request, "accounts/refused.html", context, status=403)

        return login_required(checked)

    return wrap
