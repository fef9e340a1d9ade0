"""Making, changing and deleting channels; `services.channels` has all of it. The audit trail has the names of secrets, never themselves."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.channels.values import KINDS, ROUTING, check_whole, goes_to, merged
from alerts.choices import ChannelKind, DeliveryState
from alerts.models import Channel, Delivery
from alerts.rule_values import Refused, checked
from alerts.sealing import SealBroken, seal, unseal
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import refuse_outdated
from opsconsole.live.publish import publish

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}[A-Za-z0-9]|[A-Za-z0-9]")
FIELDS = (*ROUTING, "fallback", "settings", "secrets")
GOES_TO = "goes_to"
DELETED = "The channel was deleted."
MOVED = "The service says that the chat has moved."
SYSTEM = Actor.system("alerts")


class ChannelExists(Exception):
    """Another one has this name."""


@transaction.atomic
def create(
    *,
    actor: Actor,
    name: str,
    kind: str,
    values: Mapping[str, Any],
    reason: str,
    now: datetime | None = None,
) -> Channel:
    """Make a channel. `values`: any of FIELDS (`fallback`: a channel's name or None; `secrets`: by name).

    Raises Refused (a ValueError) naming the field, or ChannelExists.
    """
    moment = now or timezone.now()
    _check_name(name)
    if not isinstance(kind, str) or kind not in ChannelKind.values:
        raise Refused("kind", f"must be one of {', '.join(ChannelKind.values)}")
    channel = Channel(name=name, kind=kind, created_at=moment, updated_at=moment)
    secrets = _set(channel, values, secrets={})
    made, created = Channel.objects.get_or_create(name=name, defaults=_columns(channel))
    if not created:
        raise ChannelExists(f"There is a channel {name} already.")
    tell(actor, "alerts.channel_created", made, reason, after=_shown(made, secrets), now=moment)
    return made


@transaction.atomic
def change(
    *,
    actor: Actor,
    name: str,
    values: Mapping[str, Any],
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> Channel:
    """Change what `values` has; in `settings` and `secrets` only the members given, of which null takes one away.

    `version`: the one that the caller read, if it is not to overwrite what others changed since. Raises Channel.DoesNotExist, Refused, or
    ChangedMeanwhile.
    """
    channel = _locked(name=name)
    refuse_outdated(channel.name, channel.version, read=version)
    secrets = _open(channel)
    before = _shown(channel, secrets)
    new = _set(channel, values, secrets=secrets)
    after = _shown(channel, new)
    replaced = sorted(key for key in new if key in secrets and new[key] != secrets[key])
    if before == after and not replaced:
        return channel
    channel.version += 1
    channel.updated_at = now or timezone.now()
    channel.save(update_fields=[*_columns(channel), "version"])
    tell(
        actor,
        "alerts.channel_changed",
        channel,
        reason,
        before=before,
        after=after,
        metadata={"replaced_secrets": replaced},
        now=channel.updated_at,
    )
    return channel


@transaction.atomic
def delete(*, actor: Actor, name: str, reason: str, now: datetime | None = None) -> int:
    """Delete a channel; what waits for it is cancelled, what was delivered stays in the list. Returns how many were cancelled.

    Raises Channel.DoesNotExist.
    """
    moment = now or timezone.now()
    channel = _locked(name=name)
    before = _shown(channel, _open(channel))
    waiting = Delivery.objects.filter(channel=channel, state=DeliveryState.PENDING)
    cancelled = waiting.update(state=DeliveryState.CANCELLED, error=DELETED, finished_at=moment)
    tell(
        actor,
        "alerts.channel_deleted",
        channel,
        reason,
        before=before,
        metadata={"cancelled": cancelled},
        now=moment,
    )
    channel.delete()
    return cancelled


@transaction.atomic
def moved(*, channel_id: int, settings: Mapping[str, Any], now: datetime | None = None) -> None:
    """Change settings as the service itself told us (`Receipt.settings`). Nothing if the channel is gone."""
    name = Channel.objects.filter(pk=channel_id).values_list("name", flat=True).first()
    if name is not None:
        change(actor=SYSTEM, name=name, values={"settings": settings}, reason=MOVED, now=now)


@transaction.atomic
def reseal(*, now: datetime | None = None) -> tuple[int, list[str]]:
    """Seal every channel's secrets with today's SECRET_KEY. Returns how many, and the names of those that cannot be read."""
    done, broken = 0, []
    for channel in Channel.objects.select_for_update(no_key=True).exclude(secrets=""):
        try:
            channel.secrets = seal(unseal(channel.secrets))
        except SealBroken:
            broken.append(channel.name)
            continue
        channel.save(update_fields=["secrets"])
        tell(SYSTEM, "alerts.channel_resealed", channel, "", now=now)
        done += 1
    return done, broken


def check(*, name: str, kind: str, values: Mapping[str, Any]) -> None:
    """Raises Refused where `create`, or for a channel that is there `change`, would. Changes nothing."""
    channel = Channel.objects.filter(name=name).first() or Channel(name=name, kind=kind)
    _check_name(name)
    _set(channel, values, secrets=_open(channel))


def secret_names(channel: Channel) -> list[str] | None:
    """Which secrets are set. None: they cannot be read (SECRET_KEY has changed)."""
    try:
        return sorted(unseal(channel.secrets))
    except SealBroken:
        return None


def _check_name(name: object) -> None:
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        raise Refused(
            "name",
            "must be 1 to 64 of A-Z, a-z, 0-9, blank, . _ and -, beginning and ending with a letter or digit",
        )


def _locked(*, name: str) -> Channel:
    return Channel.objects.select_for_update(of=("self",)).select_related("fallback").get(name=name)


def _open(channel: Channel) -> dict[str, str]:
    """What cannot be read is entered anew: `check_whole` says what is missing."""
    try:
        return unseal(channel.secrets)
    except SealBroken:
        return {}


def _set(channel: Channel, values: Mapping[str, Any], *, secrets: Mapping[str, str]) -> dict[str, str]:
    """Put the values into the channel; all are checked before. Returns the secrets as they are now."""
    for name in values:
        if name not in FIELDS:
            raise Refused(str(name)[:64], f"is not a field here; allowed are {', '.join(FIELDS)}")
    for name, value in checked({key: values[key] for key in ROUTING if key in values}, ROUTING).items():
        setattr(channel, name, value)
    if "fallback" in values:
        channel.fallback = _fallback(channel, values["fallback"])
    if channel.pk and not values.keys() & {"settings", "secrets"}:
        return dict(secrets)
    kind = KINDS[channel.kind]
    old = {name: value for name, value in channel.settings.items() if name != GOES_TO}
    settings = merged("settings", old, values.get("settings", {}), kind.settings)
    merged_secrets = merged("secrets", secrets, values.get("secrets", {}), kind.secrets)
    check_whole(channel.kind, settings, merged_secrets)
    channel.settings = {**settings, GOES_TO: goes_to(channel.kind, settings, merged_secrets)}
    if merged_secrets != secrets or not channel.pk:
        channel.secrets = seal(merged_secrets)
    return merged_secrets


def _fallback(channel: Channel, name: object) -> Channel | None:
    if name is None:
        return None
    found = Channel.objects.filter(name=name).first() if isinstance(name, str) else None
    if found is None or found.name == channel.name:
        raise Refused("fallback", "must be the name of another channel, or null")
    return found


def _columns(channel: Channel) -> dict[str, Any]:
    names = (*ROUTING, "fallback", "settings", "secrets", "updated_at")
    columns = {name: getattr(channel, name) for name in names}
    return columns if channel.pk else {**columns, "kind": channel.kind, "created_at": channel.created_at}


def _shown(channel: Channel, secrets: Mapping[str, str]) -> dict[str, Any]:
    """What the audit trail may have."""
    return {
        "kind": channel.kind,
        **{name: getattr(channel, name) for name in ROUTING},
        "fallback": channel.fallback.name if channel.fallback is not None else None,
        "settings": dict(channel.settings),
        "secrets": sorted(secrets),
    }


def tell(actor: Actor, action: str, channel: Channel, reason: str, **more: Any) -> None:
    """The trail, and whoever shows channels."""
    record(actor=actor, action=action, obj=channel, reason=reason, **more)
    publish("channels", ids=(channel.pk,))
