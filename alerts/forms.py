"""What people fill in on the alert pages."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.forms import BoundField

from alerts.choices import AlertState, Category, Decision, Priority
from alerts.matching import Matcher
from alerts.silences import parse_lines
from opsconsole.paging import before_field, search_field, start_of

NOTE_LENGTH = 2000
# Hours; 0: until it is resolved.
ACKNOWLEDGE_HOURS = ((0, "until it is resolved"), (1, "for 1 hour"), (4, "for 4 hours"), (12, "for 12 hours"))

SILENCE_HOURS = (
    (1, "for 1 hour"),
    (2, "for 2 hours"),
    (8, "for 8 hours"),
    (24, "for 1 day"),
    (72, "for 3 days"),
    (168, "for 7 days"),
)


def _choice(name: str, any_word: str, values: list[str]) -> forms.ChoiceField:
    return forms.ChoiceField(
        required=False,
        label=name.capitalize(),
        choices=[("", any_word), *((value, value) for value in values)],
        error_messages={"invalid_choice": f"{name}: one of {', '.join(values)}."},
    )


class FilterForm(forms.Form):
    """Search and filters of the list; every field may be empty."""

    q = search_field()
    state = _choice("state", "Any state", AlertState.values)
    priority = _choice("priority", "Any priority", Priority.values)
    category = _choice("category", "Any category", Category.values)
    decision = _choice("decision", "Any decision", Decision.values)
    acknowledged = forms.ChoiceField(
        required=False,
        label="Owned",
        choices=[("", "Owned or not"), ("yes", "Acknowledged"), ("no", "Not acknowledged")],
        error_messages={"invalid_choice": "acknowledged: yes or no."},
    )
    since = forms.DateField(required=False, error_messages={"invalid": "From: a date as YYYY-MM-DD."})
    until = forms.DateField(required=False, error_messages={"invalid": "To: a date as YYYY-MM-DD."})
    before = before_field()

    @property
    def choices(self) -> list[BoundField]:
        return [self[name] for name in ("state", "priority", "category", "decision", "acknowledged")]

    def filters(self) -> dict[str, Any]:
        """As `selectors.Filters` takes them, without what is empty. `until` is included whole."""
        data = self.cleaned_data
        found = {name: data[name] for name in ("state", "priority", "category", "decision")}
        found["search"] = data["q"]
        found["acknowledged"] = {"yes": True, "no": False}.get(data["acknowledged"])
        found["since"] = start_of(data["since"]) if data["since"] else None
        found["until"] = start_of(data["until"] + timedelta(days=1)) if data["until"] else None
        return {name: value for name, value in found.items() if value not in ("", None)}


class AcknowledgeForm(forms.Form):
    """One press: note and end are there, and neither is needed."""

    note = forms.CharField(
        required=False,
        max_length=NOTE_LENGTH,
        error_messages={"max_length": f"note: {NOTE_LENGTH} characters or less."},
    )
    hours = forms.TypedChoiceField(
        required=False,
        coerce=int,
        choices=ACKNOWLEDGE_HOURS,
        error_messages={"invalid_choice": "hours: 0 (until it is resolved), 1, 4 or 12."},
    )

    def until(self, now: datetime) -> datetime | None:
        hours = self.cleaned_data["hours"] or 0
        return now + timedelta(hours=hours) if hours else None


class NoteForm(forms.Form):
    """An act with its reason."""

    note = forms.CharField(
        max_length=NOTE_LENGTH,
        error_messages={
            "required": "Say why, in a few words.",
            "max_length": f"note: {NOTE_LENGTH} characters or less.",
        },
    )


class AssignForm(NoteForm):
    """To whom; nobody takes the assignment back."""

    user = forms.TypedChoiceField(
        required=False, coerce=int, empty_value=None, error_messages={"invalid_choice": "Choose a person."}
    )
    note = forms.CharField(required=False, max_length=NOTE_LENGTH)

    def __init__(self, *args: Any, people: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["user"]
        if isinstance(choice, forms.TypedChoiceField):
            choice.choices = [("", "Nobody"), *((str(pk), name) for pk, name in people)]


class SilenceForm(forms.Form):
    """Which alerts (one matcher a line), from when, for how long, and why."""

    matchers = forms.CharField(
        max_length=20_000,
        error_messages={"required": 'Say which alerts: at least one line such as symbol="IBM".'},
    )
    starts = forms.DateTimeField(
        required=False,
        error_messages={"invalid": "Start: give a date and a time, or leave it empty for now."},
    )
    hours = forms.TypedChoiceField(
        coerce=int, choices=SILENCE_HOURS, error_messages={"invalid_choice": "Choose for how long."}
    )
    comment = forms.CharField(
        max_length=2000,
        error_messages={"required": "Say why: whoever misses an alert tomorrow reads it."},
    )

    def clean_matchers(self) -> list[Matcher]:
        try:
            found = parse_lines(self.cleaned_data["matchers"])
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None
        if not found:
            raise forms.ValidationError('Say which alerts: at least one line such as symbol="IBM".')
        return found

    def starts_at(self, now: datetime) -> datetime:
        wanted: datetime | None = self.cleaned_data["starts"]
        return wanted if wanted is not None and wanted > now else now

    def ends_at(self, now: datetime) -> datetime:
        return self.starts_at(now) + timedelta(hours=self.cleaned_data["hours"])
