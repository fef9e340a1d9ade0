"""Pages of lists, by key: what `layout/pages.html` links to, and what every list asks of its address."""

from datetime import datetime, time
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

LARGEST_ID = 2**63 - 1
DATE = {"invalid": "Give a date as YYYY-MM-DD."}


def turned(request: HttpRequest, following: object, *, key: str = "before") -> dict[str, Any]:
    """The queries of the page that follows, and of the first one; empty or None where there is none. `following`: its key, nothing on the last page.

    `filtered`: whether the address asks for anything but a page.
    """
    query = request.GET.copy()
    query.pop(key, None)
    older = query.copy()
    older[key] = str(following)
    return {
        "older": older.urlencode() if following else "",
        "newest": query.urlencode() if request.GET.get(key) else None,
        "filtered": any(value for name, value in request.GET.items() if name != key),
    }


def search_field() -> forms.CharField:
    return forms.CharField(
        required=False, max_length=100, error_messages={"max_length": "Search for 100 characters or less."}
    )


def before_field() -> forms.IntegerField:
    """Of lists whose key is an id."""
    return forms.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, error_messages={"invalid": "before: a number."}
    )


def start_of(day: Any) -> datetime:
    """In the desk's zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def id_in(text: str) -> int | None:
    """None: it can be no id of a row."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0
    return number if 0 < number <= LARGEST_ID else None
