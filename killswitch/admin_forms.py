"""What is filled in on the admin's page of the drill rule. The checks are those of the service."""

from typing import Any

from django import forms

from killswitch.drill_schedule import problems
from killswitch.models import DrillRule
from killswitch.services.drills import FIELDS
from opsconsole.audit.reasoned import ReasonedForm


class DrillRuleForm(ReasonedForm):
    """`version` is the one that was shown, so that nobody overwrites what somebody else changed meanwhile."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = DrillRule
        fields = (*FIELDS, "version")
        labels = {
            "day": "Day of the month",
            "days": "Days after the last one",
            "remind_days": "Remind, days before",
        }
        help_texts = {
            "enabled": "Off: no drill is asked for, and none is missed.",
            "day": "For once in each month: by this day of it, at the time below.",
            "days": "For a number of days after the last one.",
            "zone": "Such as America/New_York. Empty: the desk's own zone.",
            "remind_days": "0: no reminder before it is due.",
        }

    def clean_version(self) -> int:
        shown: int = self.cleaned_data["version"]
        stored = DrillRule.objects.values_list("version", flat=True).get(pk=1)
        if shown != stored:
            raise forms.ValidationError("Somebody changed the rule meanwhile: read the page again.")
        return shown

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(name in cleaned for name in FIELDS):
            for field, problem in problems(self.values()).items():
                self.add_error(field, problem)
        return cleaned

    def values(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in FIELDS}
