"""What is filled in on the admin's page of the drill rule. The checks are those of the service."""

from typing import Any

from killswitch.drill_schedule import problems
from killswitch.models import DrillRule
from killswitch.services.drills import FIELDS
from opsconsole.audit.reasoned import VersionedForm


class DrillRuleForm(VersionedForm):
    tuned = FIELDS

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

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(name in cleaned for name in FIELDS):
            for field, problem in problems(self.values()).items():
                self.add_error(field, problem)
        return cleaned
