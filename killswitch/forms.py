"""What people fill in on the kill-switch pages. There is no form for a stop: a stop is never refused over its wording."""

from datetime import timedelta
from typing import Any

from django import forms

from killswitch.choices import CommandKind, Reason
from opsconsole.paging import DATE, before_field, search_field, start_of

WORD = "RE-ARM"


class RearmForm(forms.Form):
    """The strict side: a scope that is stopped, what was wrong in so many words, and the typed word."""

    scope = forms.ChoiceField(error_messages={"invalid_choice": "Choose a scope that is stopped now."})
    message = forms.CharField(
        min_length=10,
        max_length=2000,
        error_messages={
            "required": "Say what was wrong and why it is safe now.",
            "min_length": "Say it in 10 characters or more.",
        },
    )
    word = forms.CharField(error_messages={"required": f"Type {WORD}."})

    def __init__(self, *args: Any, scopes: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["scope"]
        if isinstance(choice, forms.ChoiceField):
            choice.choices = [(scope, scope) for scope in scopes]

    def clean_word(self) -> str:
        word: str = self.cleaned_data["word"].strip().upper()
        if word != WORD:
            raise forms.ValidationError(f"Type {WORD}, in full.")
        return word


class CommandForm(forms.Form):
    """Which command, and for whom; nobody named means every connected process."""

    kind = forms.ChoiceField(
        choices=CommandKind.choices,
        error_messages={
            "required": f"kind: one of {', '.join(CommandKind.values)}",
            "invalid_choice": f"kind: one of {', '.join(CommandKind.values)}",
        },
    )
    client = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        error_messages={"invalid_choice": "client: that process is not known any more."},
    )

    def __init__(self, *args: Any, clients: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice = self.fields["client"]
        if isinstance(choice, forms.TypedMultipleChoiceField):
            choice.choices = [(pk, str(pk)) for pk in clients]


class HistoryForm(forms.Form):
    """Search and filters of the list of activations; every field may be empty."""

    q = search_field()
    scope = forms.CharField(required=False, max_length=100)
    reason = forms.ChoiceField(
        required=False,
        choices=[("", "Any reason"), *Reason.choices],
        error_messages={"invalid_choice": "Unknown reason."},
    )
    kind = forms.ChoiceField(
        required=False,
        choices=[("", "Stops and drills"), ("stop", "Stops"), ("drill", "Drills")],
        error_messages={"invalid_choice": "Choose stop or drill."},
    )
    since = forms.DateField(required=False, error_messages=DATE)
    until = forms.DateField(required=False, error_messages=DATE)
    before = before_field()

    def filters(self) -> dict[str, Any]:
        """As `selectors.history()` takes them. `until` is included whole."""
        data = self.cleaned_data
        return {
            "search": data["q"],
            "scope": data["scope"],
            "reason": data["reason"],
            "drill": {"stop": False, "drill": True}.get(data["kind"]),
            "since": start_of(data["since"]) if data["since"] else None,
            "until": start_of(data["until"] + timedelta(days=1)) if data["until"] else None,
            "before_id": data["before"],
        }


class DrillsForm(forms.Form):
    """The page of the drills."""

    before = before_field()
