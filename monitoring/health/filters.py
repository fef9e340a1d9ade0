"""Search and filters of the pages of health; all of them are in the address."""

import re
from typing import Any

from django import forms
from django.forms import BoundField

from monitoring.health.choices import Status
from monitoring.health.wording import WORDS
from opsconsole.paging import before_field, search_field

STATUSES = tuple(
    (str(status), WORDS[status])
    for status in (Status.UNHEALTHY, Status.DEGRADED, Status.UNKNOWN, Status.HEALTHY)
)
LISTED = (("", "Any status"), ("abnormal", "Abnormal"), *STATUSES)
WHAT = (
    ("", "Everything"),
    ("console", "The console's own"),
    ("clients", "Trading processes"),
    ("targets", "Targets"),
)
# As `monitoring.health.board` writes it: rank, place and name of a page's last row.
AFTER = re.compile(r"[0-4]-\d{1,2}-.{1,100}", re.DOTALL)


def _one_of(field: str, choices: "tuple[tuple[str, str], ...]") -> dict[str, str]:
    return {"invalid_choice": f"{field}: one of {', '.join(value for value, _ in choices if value)}."}


class FilterForm(forms.Form):
    """Of the list; every field may be empty."""

    q = search_field()
    status = forms.ChoiceField(required=False, choices=LISTED, error_messages=_one_of("status", LISTED))
    what = forms.ChoiceField(required=False, choices=WHAT, error_messages=_one_of("what", WHAT))
    after = forms.CharField(required=False, max_length=110, strip=False)

    @property
    def choices(self) -> list[BoundField]:
        return [self["status"], self["what"]]

    def clean_after(self) -> str:
        after: str = self.cleaned_data["after"]
        if after and not AFTER.fullmatch(after):
            raise forms.ValidationError("after: a page of this list.")
        return after


class HistoryForm(forms.Form):
    """Of one component's changes of status."""

    q = search_field()
    to = forms.ChoiceField(
        required=False, choices=(("", "Any status"), *STATUSES), error_messages=_one_of("to", STATUSES)
    )
    before = before_field()

    def wanted(self) -> dict[str, Any]:
        """As `selectors.changes` takes it."""
        data = self.cleaned_data
        return {"before_id": data["before"], "to": data["to"], "search": data["q"]}
