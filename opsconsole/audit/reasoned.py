"""Forms of the admin whose values go through a service, with the reason for the audit trail."""

from collections.abc import Collection
from typing import Any

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


class VersionedForm(ReasonedForm):
    """`version` is the one that was shown, so that nobody overwrites what somebody else changed meanwhile."""

    # What the service takes.
    tuned: Collection[str] = ()
    version = forms.IntegerField(widget=forms.HiddenInput, initial=1)

    def clean_version(self) -> int:
        shown: int = self.cleaned_data["version"]
        model = type(self.instance)
        rows = model._default_manager.filter(pk=self.instance.pk)  # noqa: SLF001  public, in spite of its name
        stored = rows.values_list("version", flat=True).first()
        # None: it is a new one.
        if stored is not None and shown != stored:
            raise forms.ValidationError(
                f"Somebody changed this {model._meta.verbose_name} meanwhile: read the page again."
            )
        return shown

    def values(self) -> dict[str, Any]:
        """As the service takes them."""
        return {name: self.cleaned_data[name] for name in self.tuned}
