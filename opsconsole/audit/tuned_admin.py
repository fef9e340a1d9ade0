"""Admin pages of what people tune: with one permission, and through a service, which has the last word."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest

from opsconsole.audit.tuned import ChangedMeanwhile, Refused


class Tuned:
    """Of an admin, or of its rows within another. `tuner`: the permission to add, change and delete."""

    tuner = ""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_tune(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_tune(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may_tune(request)

    def _may_tune(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.tuner))


class FixedRows:
    """Of an admin whose rows are there: none is added or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def say_outcome(request: HttpRequest, change: Callable[[], tuple[object, bool]]) -> None:
    """`change`: calls the service, which returns what there is now, and whether anything is different."""
    try:
        _, changed = change()
    except (ChangedMeanwhile, Refused) as error:
        messages.error(request, f"Nothing was saved. {error}")
    else:
        if not changed:
            messages.warning(request, "Nothing was changed.")
