"""Search and filters of the audit page; all of them are in the address."""

from datetime import timedelta

from django import forms

from opsconsole.audit.search import Query
from opsconsole.paging import DATE, before_field, search_field, start_of


class TrailForm(forms.Form):
    q = search_field()
    actor = forms.CharField(required=False, max_length=150)
    action = forms.CharField(required=False, max_length=64)
    since = forms.DateField(required=False, error_messages=DATE)
    until = forms.DateField(required=False, error_messages=DATE)
    before = before_field()

    def query(self) -> Query:
        """`until` is included whole."""
        data = self.cleaned_data
        return Query(
            words=data["q"],
            actor=data["actor"],
            action=data["action"],
            since=start_of(data["since"]) if data["since"] else None,
            until=start_of(data["until"] + timedelta(days=1)) if data["until"] else None,
            before_id=data["before"],
        )
