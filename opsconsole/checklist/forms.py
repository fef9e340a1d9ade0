"""What is filled in: on the page, and in the admin."""

from typing import Any

from django import forms

from opsconsole.audit.reasoned import VersionedForm
from opsconsole.checklist.choices import WEEKDAYS
from opsconsole.checklist.due import problems
from opsconsole.checklist.models import COMMENT, ChecklistRule
from opsconsole.checklist.services import FIELDS


class SignForm(forms.Form):
    """Whether a comment is needed, the service knows: that depends on what is red."""

    comment = forms.CharField(
        required=False,
        max_length=COMMENT,
        error_messages={"max_length": f"Say it in {COMMENT:,} characters or less."},
    )
    seen = forms.CharField(required=False, max_length=500)


class DaysForm(forms.Form):
    """The page of the days before."""

    before = forms.DateField(required=False, error_messages={"invalid": "before: a date as YYYY-MM-DD."})


class RuleForm(VersionedForm):
    tuned = FIELDS
    days = forms.TypedMultipleChoiceField(
        coerce=int,
        required=False,
        choices=list(enumerate(WEEKDAYS)),
        widget=forms.CheckboxSelectMultiple,
        help_text="On which it is asked for.",
    )

    class Meta:
        model = ChecklistRule
        fields = (*FIELDS, "version")
        labels = {"by": "Signed off by", "cache_hit_pct": "Cache hit rate above, percent"}
        help_texts = {
            "enabled": "Off: nobody is asked for it, and no alert is raised.",
            "zone": "Such as America/New_York. Empty: the zone of the trading day.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(name in cleaned for name in FIELDS):
            for field, problem in problems(self.values()).items():
                self.add_error(field, problem)
        return cleaned
