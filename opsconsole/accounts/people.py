"""Who may do what, for the sentence that explains a refusal."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from opsconsole.accounts.models import User

View = Callable[..., HttpResponse]
SHOWN = 8


def who_may(permission: str) -> list[str]:
    """The names of people (not service accounts) with `app.codename`, at most SHOWN of them."""
    return [person.display_name for person in people_who_may(permission)[:SHOWN]]


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
