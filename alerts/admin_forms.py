"""What is filled in on the admin's pages of rules, label rules and response times. The checks are those of the services."""

from collections.abc import Mapping
from typing import Any

from django import forms

from alerts.matching import Matcher, parse_filter
from alerts.models import AlertRule, LabelRule, ResponseTime
from alerts.rule_values import LABEL_RULE, RESPONSE_TIME, RULE, Check, Refused, checked
from opsconsole.audit.reasoned import ReasonedForm, VersionedForm


class CheckedForm(ReasonedForm):
    """The checks are those of the service."""

    checks: Mapping[str, Check] = {}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in [name for name in self.checks if name in cleaned]:
            try:
                checked({name: cleaned[name]}, self.checks)
            except Refused as error:
                self.add_error(name, error.problem)
        return cleaned

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        return {name: self.cleaned_data[name] for name in self.checks if name in self.cleaned_data}


class RuleForm(CheckedForm, VersionedForm):
    checks = RULE

    class Meta:
        model = AlertRule
        fields = (*RULE, "version")
        labels = {
            "max_per_hour": "Most in an hour",
            "dedupe_window_minutes": "Dedupe window, minutes",
            "quiet_start": "Quiet from, hour",
            "quiet_end": "Quiet until, hour",
            "quiet_passes": "Passes in quiet hours",
            "min_priority": "Minimum priority",
        }
        help_texts = {
            "quiet_end": "The same hour twice: no quiet hours.",
            "time_zone": "Such as America/New_York. Empty: the desk's own zone.",
        }


class ResponseTimeForm(CheckedForm):
    checks = RESPONSE_TIME

    class Meta:
        model = ResponseTime
        fields = tuple(RESPONSE_TIME)


class LabelRuleForm(CheckedForm):
    """Matchers as text: one on each line."""

    checks = LABEL_RULE
    matchers = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 4, "cols": 60}),
        help_text='One on each line, all of which must match: severity="critical", job=~"trader.*", env!="test", team!~"qa|dev".',
    )

    class Meta:
        model = LabelRule
        fields = tuple(LABEL_RULE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.matchers:
            lines = [
                str(Matcher(item["name"], item["value"], item["isRegex"], item["isEqual"]))
                for item in self.instance.matchers
            ]
            self.initial["matchers"] = "\n".join(lines)

    def clean_matchers(self) -> list[dict[str, Any]]:
        lines = [line for line in self.cleaned_data["matchers"].splitlines() if line.strip()]
        try:
            return [parse_filter(line).as_json() for line in lines]
        except ValueError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not cleaned.get("category") and not cleaned.get("priority"):
            self.add_error("category", "Give a category, or a priority, or both.")
        return cleaned
