"""What people fill in on the pages of runbooks and incidents."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms

from opsconsole.paging import DATE, before_field, search_field, start_of
from opsconsole.runbooks.choices import IncidentState, Shown
from opsconsole.runbooks.models import TITLE_LENGTH
from opsconsole.runbooks.services.shared import LONGEST
from opsconsole.runbooks.timeline import Key

# Of the fields that give the values which a runbook's steps name.
PREFIX = "value-"


class FilterForm(forms.Form):
    """Search and filters of the list; every field may be empty."""

    q = search_field()
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any state"), *IncidentState.choices],
        error_messages={"invalid_choice": f"state: one of {', '.join(IncidentState.values)}."},
    )
    runbook = forms.CharField(required=False, max_length=64)
    since = forms.DateField(required=False, error_messages=DATE)
    until = forms.DateField(required=False, error_messages=DATE)
    before = before_field()

    def filters(self) -> dict[str, Any]:
        """As `selectors.incidents()` takes them. `until` is included whole."""
        data = self.cleaned_data
        return {
            "search": data["q"],
            "state": data["state"],
            "runbook": data["runbook"],
            "since": start_of(data["since"]) if data["since"] else None,
            "until": start_of(data["until"] + timedelta(days=1)) if data["until"] else None,
            "before_id": data["before"],
        }


class TimelineForm(forms.Form):
    """Which part of a timeline, and from where on."""

    show = forms.ChoiceField(
        required=False,
        choices=Shown.choices,
        error_messages={
            "invalid_choice": f"show: one of {', '.join(value for value in Shown.values if value)}."
        },
    )
    before = forms.CharField(required=False, max_length=64)

    def clean_before(self) -> Key | None:
        try:
            return Key.read(self.cleaned_data["before"]) if self.cleaned_data["before"] else None
        except ValueError as error:
            raise forms.ValidationError(f"before: {error}.") from None

    def shown(self) -> Shown:
        """Everything, if what is wanted is nothing that there is."""
        return Shown(self.cleaned_data.get("show") or Shown.ALL)

    def key(self) -> Key | None:
        found: Key | None = self.cleaned_data.get("before")
        return found


def _text(needed: str, longest: int = LONGEST) -> forms.CharField:
    """`needed`: what to say when there is nothing."""
    return forms.CharField(
        max_length=longest,
        error_messages={"required": needed, "max_length": f"At most {longest} characters."},
    )


class StartForm(forms.Form):
    title = _text("Say in a few words what happened.", TITLE_LENGTH)


class NoteForm(forms.Form):
    text = _text("Write something down first.")


class CloseForm(forms.Form):
    summary = _text("Say what it was, and how it ended.")


def values_in(posted: Mapping[str, Any]) -> dict[str, str]:
    """What was filled in for a runbook's steps, by name."""
    return {
        name.removeprefix(PREFIX): str(value) for name, value in posted.items() if name.startswith(PREFIX)
    }
