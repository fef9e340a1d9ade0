"""Search and filters of the audit page; all of them are in the address."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from opsconsole.audit.search import Query

DATE = {"invalid": "Give a date as YYYY-MM-DD."}


class TrailForm(forms.Form):
    q = forms.CharField(
        required=False, max_length=100, error_messages={"max_length": "Search for 100 characters or less."}
    )
    actor = forms.CharField(required=False, max_length=150)
    action = forms.CharField(required=False, max_length=64)
    since = forms.DateField(required=False, error_messages=DATE)
    until = forms.DateField(required=False, error_messages=DATE)
    before = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, error_messages={"invalid": "before: a number."}
    )

    def query(self) -> Query:
        """`until` is included whole."""
        data = self.cleaned_data
        return Query(
            words=data["q"],
            actor=data["actor"],
            action=data["action"],
            since=_start_of(data["since"]) if data["since"] else None,
            until=_start_of(data["until"] + timedelta(days=1)) if data["until"] else None,
            before_id=data["before"],
        )


def _start_of(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
