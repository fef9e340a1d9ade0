"""What is filled in on the admin's page of a channel: a field for each setting and each secret of its kind. Secrets are never shown."""

from typing import Any

from django import forms

from alerts.channels.values import KINDS, ROUTING
from alerts.choices import Category, ChannelKind
from alerts.models import Channel
from alerts.rule_values import Refused
from alerts.services import channels
from opsconsole.audit.reasoned import ReasonedForm

FORGET = "forget"
# Settings that are no text, and how they are read from one.
LISTS = frozenset({"to"})
NUMBERS = frozenset({"thread_id"})


class ChannelForm(ReasonedForm):
    """Its other fields are made by `form_for`. `version` is the one that was shown, so that nobody overwrites a change meanwhile."""

    categories = forms.MultipleChoiceField(
        choices=Category.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None: every category.",
    )
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Channel
        fields = ("name", "kind", *ROUTING, "fallback", "version")

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.instance.pk and cleaned.get("version") != self.instance.version:
            raise forms.ValidationError("Somebody changed this channel meanwhile: read the page again.")
        if not self.instance.pk and Channel.objects.filter(name=cleaned.get("name")).exists():
            self.add_error("name", "There is a channel of this name already.")
        if self.errors:
            return cleaned
        try:
            channels.check(name=self.channel_name, kind=self.kind, values=self.values())
        except Refused as error:
            self._show(error)
        return cleaned

    @property
    def kind(self) -> str:
        return str(self.instance.kind if self.instance.pk else self.cleaned_data["kind"])

    @property
    def channel_name(self) -> str:
        return str(self.instance.name if self.instance.pk else self.cleaned_data["name"])

    def values(self) -> dict[str, Any]:
        """As the service takes them. An empty setting takes it away; an empty secret leaves it."""
        given, kind = self.cleaned_data, KINDS[self.kind]
        settings = {
            name: _value(name, given[field_name("settings", self.kind, name)]) for name in kind.settings
        }
        secrets = {name: given[field_name("secrets", self.kind, name)] or None for name in kind.secrets}
        forgotten = given.get(FORGET) or []
        return {
            **{name: given[name] for name in ROUTING},
            "fallback": given["fallback"].name if given["fallback"] else None,
            "settings": settings,
            "secrets": {name: text for name, text in secrets.items() if text or name in forgotten},
        }

    def _post_clean(self) -> None:
        """The instance stays as it is: the service changes the row."""

    def _show(self, error: Refused) -> None:
        """At the field that it is about."""
        part, _, name = error.field.partition(".")
        field = field_name(part, self.kind, name) if name else part
        self.add_error(field if field in self.fields else None, f"{name or part}: {error.problem}")


def form_for(channel: Channel | None) -> type[ChannelForm]:
    """The form of this channel's kind; of all kinds, to make one."""
    fields: dict[str, Any] = {}
    for kind in ChannelKind if channel is None else [ChannelKind(channel.kind)]:
        for name in KINDS[kind].settings:
            fields[field_name("settings", kind, name)] = _setting(kind, name, channel)
        for name in KINDS[kind].secrets:
            fields[field_name("secrets", kind, name)] = _secret(kind, name, channel)
    if channel is not None and (known := channels.secret_names(channel)):
        fields[FORGET] = forms.MultipleChoiceField(
            choices=[(name, name) for name in known],
            required=False,
            widget=forms.CheckboxSelectMultiple,
            label="Forget these secrets",
        )
    return type("ChannelForm", (ChannelForm,), fields)


def field_name(part: str, kind: str, name: str) -> str:
    return f"{part}__{kind}__{name}"


def _setting(kind: ChannelKind, name: str, channel: Channel | None) -> forms.CharField:
    stored = channel.settings.get(name, "") if channel is not None else ""
    shown = ", ".join(stored) if isinstance(stored, list) else str(stored)
    return forms.CharField(required=False, label=f"{kind.label}: {name}", initial=shown)


def _secret(kind: ChannelKind, name: str, channel: Channel | None) -> forms.CharField:
    known = channel is not None and name in (channels.secret_names(channel) or [])
    return forms.CharField(
        required=False,
        label=f"{kind.label}: {name}",
        widget=forms.PasswordInput(render_value=False, attrs={"autocomplete": "off", "size": 60}),
        help_text="Set. Leave it empty to keep it." if known else "Not set.",
    )


def _value(name: str, text: str) -> Any:
    text = text.strip()
    if not text:
        return None
    if name in LISTS:
        return [part.strip() for part in text.replace("\n", ",").split(",") if part.strip()]
    return int(text) if name in NUMBERS and text.isdecimal() else text
