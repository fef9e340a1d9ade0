"""The forms by which health is tuned in the admin: one field for each setting of the kind, with its bounds."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.db.models import Q

from monitoring.health.choices import ADDABLE, OF_HOSTS, Kind
from monitoring.health.kinds import KINDS, LONGEST_TEXT, Number, Setting, Text, settings_of
from monitoring.health.models import HealthComponent
from monitoring.health.values import FIELDS, LONGEST_SECRET, problems, slug_of
from opsconsole.audit.reasoned import VersionedForm

PREFIX = "setting_"


class ComponentForm(VersionedForm):
    """Settings come from `form_of`."""

    tuned = FIELDS
    kinds: Sequence[Kind] = ()

    class Meta:
        model = HealthComponent
        fields = (*FIELDS, "version")
        help_texts = {
            "essential": "The whole console is unhealthy when this is; otherwise it is degraded at most.",
            "budget_seconds": "A check that takes longer has failed. Not longer than the interval.",
            "failures": "So many results in a row, before it counts as worse.",
            "recoveries": "So many results in a row, before it counts as better.",
            "priority": "Of the alert when it is unhealthy; one less when it is degraded.",
            "host": "Disk, memory and CPU: of this host alone. Empty: of whichever looks first, for as long as that one lives.",
        }

    @property
    def kind(self) -> Kind:
        return Kind(self.instance.kind or self.cleaned_data.get("kind") or self.kinds[0])

    def clean_name(self) -> str:
        """Of a new one."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        slug = slug_of(name)
        if not slug:
            raise forms.ValidationError("It needs a letter or digit of ASCII, for its address.")
        if HealthComponent.objects.filter(Q(name__iexact=name) | Q(slug=slug)).exists():
            raise forms.ValidationError("There is a component of this name.")
        return name

    def clean_authorization(self) -> str:
        value: str = self.cleaned_data["authorization"]
        if not value.isascii() or not value.isprintable():
            raise forms.ValidationError("Printable ASCII characters only.")
        return value

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if all(name in cleaned for name in FIELDS) and ("kind" in cleaned or self.instance.kind):
            for wrong in problems(self.kind, cleaned, self.settings()):
                names = (f"{PREFIX}{wrong.field}", wrong.field)
                self.add_error(next((name for name in names if name in self.fields), None), wrong.problem)
        if "kind" in cleaned and self.kind in OF_HOSTS and not cleaned.get("host"):
            self.add_error("host", "Name it: the console's own is looked at by itself.")
        if cleaned.get("authorization") and self.kind != Kind.HTTP:
            self.add_error("authorization", "Only HTTP targets have one.")
        return cleaned

    def settings(self) -> dict[str, Any]:
        """As the service takes them: what was left empty is as by default."""
        return {
            name.removeprefix(PREFIX): value
            for name, value in self.cleaned_data.items()
            if name.startswith(PREFIX) and value not in (None, "")
        }


def form_of(component: HealthComponent | None) -> type[ComponentForm]:
    """For one that is there, or for a new one (None)."""
    kinds = ADDABLE if component is None else (Kind(component.kind),)
    values = {} if component is None else settings_of(kinds[0], component.settings)
    fields: dict[str, Any] = {"kinds": kinds}
    if component is None:
        fields["name"] = forms.CharField(max_length=100)
        fields["kind"] = forms.ChoiceField(choices=[(kind.value, kind.label) for kind in ADDABLE])
    known: dict[str, Setting] = {setting.name: setting for kind in kinds for setting in KINDS[kind].settings}
    for setting in known.values():
        if not (isinstance(setting, Text) and setting.fixed):
            fields[f"{PREFIX}{setting.name}"] = _field(setting, values, kinds)
    if Kind.HTTP in kinds:
        fields["authorization"] = forms.CharField(
            required=False,
            max_length=LONGEST_SECRET,
            widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
            help_text="HTTP: the header Authorization, such as Bearer …. Kept sealed and never shown. Empty: as it is.",
        )
        fields["drop_authorization"] = forms.BooleanField(required=False, help_text="Send none any more.")
    return type("ComponentForm", (ComponentForm,), fields)


def _field(setting: Setting, values: Mapping[str, Any], kinds: Sequence[Kind]) -> forms.Field:
    of = [kind.label for kind in kinds if setting.name in KINDS[kind].defaults()]
    whose = f"{', '.join(of)}: " if len(kinds) > 1 else ""
    common: dict[str, Any] = {
        "label": setting.name.replace("_", " ").capitalize(),
        "required": False,
        "initial": values.get(setting.name, setting.default if len(kinds) == 1 else None),
        "help_text": f"{whose}{setting.help} Empty: {setting.default or 'none'}.",
    }
    if isinstance(setting, Number):
        return forms.FloatField(min_value=setting.least, max_value=setting.most, **common)
    if setting.name == "paths":
        return forms.CharField(max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 3}), **common)
    return forms.CharField(max_length=LONGEST_TEXT, **common)
