"""Forms of the admin whose values go through a service, with the reason for the audit trail."""

from django import forms

REASON_LENGTH = 2000


class ReasonedForm(forms.ModelForm):  # type: ignore[type-arg]  # the class takes no parameter at run time
    """Asks why."""

    reason = forms.CharField(
        max_length=REASON_LENGTH,
        widget=forms.Textarea(attrs={"rows": 2, "cols": 60}),
        help_text="Why, for the audit trail.",
        error_messages={"required": "Say why."},
    )
