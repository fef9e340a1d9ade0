"""What people fill in on the pages of the circuit breakers."""

import re
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.forms import BoundField

from monitoring.breakers.choices import UNKNOWN, State
from monitoring.breakers.timeline import RANGES, USUAL
from opsconsole.audit.reasoned import REASON_LENGTH
from opsconsole.paging import before_field, search_field

KINDS = (
    ("", "Any state"),
    ("ABNORMAL", "Not closed, or forced"),
    (str(State.OPEN), "OPEN"),
    (str(State.HALF_OPEN), "HALF-OPEN"),
    (str(State.CLOSED), "CLOSED"),
    ("FORCED", "Forced"),
    (UNKNOWN, "UNKNOWN"),
)
STATES = (("", "Any state"), *((str(state), str(state).replace("_", "-")) for state in State))
# Minutes; empty: until it is released.
HOLD_MINUTES = (
    ("15", "for 15 minutes"),
    ("60", "for 1 hour"),
    ("240", "for 4 hours"),
    ("720", "for 12 hours"),
    ("1440", "for 1 day"),
    ("10080", "for 7 days"),
    ("", "until it is released"),
)
USUAL_MINUTES = "60"
# As `monitoring.breakers.board` writes it: the rank and the name of a page's last row.
AFTER = re.compile(r"[0-5]-.{1,128}", re.DOTALL)


class FilterForm(forms.Form):
    """Search and filter of the list; every field may be empty."""

    q = search_field()
    state = forms.ChoiceField(
        required=False,
        choices=KINDS,
        error_messages={
            "invalid_choice": f"state: one of {', '.join(value for value, _ in KINDS if value)}."
        },
    )
    after = forms.CharField(required=False, max_length=130, strip=False)

    @property
    def choices(self) -> list[BoundField]:
        return [self["state"]]

    def clean_after(self) -> str:
        after: str = self.cleaned_data["after"]
        if after and not AFTER.fullmatch(after):
            raise forms.ValidationError("after: a page of this list.")
        return after


class HistoryForm(forms.Form):
    """Of one breaker: the length of the time axis, and search and filter of its changes of state."""

    range = forms.ChoiceField(
        required=False,
        choices=[(name, name) for name in RANGES],
        error_messages={"invalid_choice": f"range: one of {', '.join(RANGES)}."},
    )
    q = search_field()
    to = forms.ChoiceField(
        required=False,
        choices=STATES,
        error_messages={"invalid_choice": f"to: one of {', '.join(State.values)}."},
    )
    before = before_field()

    @property
    def chosen(self) -> str:
        """The usual range, if none is wanted or what is wanted is none."""
        return getattr(self, "cleaned_data", {}).get("range") or USUAL


class ReasonForm(forms.Form):
    """An act, with its reason if there is one to be told. `was`: what the page showed of the hold, so that nobody overrides what he has not seen."""

    reason = forms.CharField(
        required=False,
        max_length=REASON_LENGTH,
        error_messages={
            "required": "Say why: whoever finds it forced reads it.",
            "max_length": f"reason: {REASON_LENGTH} characters or less.",
        },
    )
    was = forms.CharField(required=False, max_length=100)

    def values(self, now: datetime) -> dict[str, Any]:
        """As the services take them."""
        return {"reason": self.cleaned_data["reason"]}


class HoldForm(ReasonForm):
    """A reason that cannot be left out, and when the hold ends by itself."""

    minutes = forms.ChoiceField(
        required=False,
        choices=HOLD_MINUTES,
        error_messages={"invalid_choice": "Choose for how long."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = True

    def values(self, now: datetime) -> dict[str, Any]:
        minutes = self.cleaned_data["minutes"]
        until = now + timedelta(minutes=int(minutes)) if minutes else None
        return super().values(now) | {"until": until}
