"""Changing when a silence ends: what the page offers, and what somebody chose."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from alerts.models import Silence

HOURS = (1, 4, 24)
MORNING = time(8)
AT = "at"


@dataclass(frozen=True, slots=True)
class End:
    """An end that is offered: `+4 h`, with the time that it comes to. `sooner`: than it ends now."""

    value: str
    words: str
    ends_at: datetime
    sooner: bool


def ends_of(silence: Silence, *, now: datetime) -> list[End]:
    """Some hours later than it ends now, and the next morning (in the desk's zone), if that is not its end already."""
    later = [(f"{hours}", f"+{hours}\u00a0h", silence.ends_at + timedelta(hours=hours)) for hours in HOURS]
    tomorrow = timezone.localtime(now).date() + timedelta(days=1)
    morning = timezone.make_aware(datetime.combine(tomorrow, MORNING))
    if morning != silence.ends_at and morning > silence.starts_at:
        later.append(("morning", f"Tomorrow {MORNING:%H:%M}", morning))
    return [End(value, words, ends_at, ends_at < silence.ends_at) for value, words, ends_at in later]


class EndForm(forms.Form):
    """Until when, and why. `was`: the end that the form showed, in full."""

    end = forms.ChoiceField(
        error_messages={"required": "Choose when it ends.", "invalid_choice": "Choose one of the ends."}
    )
    at = forms.DateTimeField(
        required=False, error_messages={"invalid": "Give a date and a time such as 2026-11-26T18:00."}
    )
    was = forms.DateTimeField(
        input_formats=["%Y-%m-%dT%H:%M:%S.%f%z"],
        error_messages={"required": "Open the form again.", "invalid": "Open the form again."},
    )
    reason = forms.CharField(
        max_length=2000,
        error_messages={
            "required": "Say why: whoever misses an alert then reads it.",
            "max_length": "Say why in 2000 characters or less.",
        },
    )

    def __init__(self, *args: Any, ends: Sequence[End], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.ends = ends
        choice = self.fields["end"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [*((end.value, end.words) for end in ends), (AT, "At")]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if data.get("end") == AT and not data.get("at") and "at" not in self.errors:
            self.add_error("at", "Give the date and the time at which it ends.")
        return data

    def ends_at(self) -> datetime:
        chosen: datetime = self.cleaned_data["at"]
        return next((end.ends_at for end in self.ends if end.value == self.cleaned_data["end"]), chosen)


def exactly(moment: datetime) -> str:
    """As `EndForm.was` reads it, to the microsecond."""
    return timezone.localtime(moment).strftime("%Y-%m-%dT%H:%M:%S.%f%z")
