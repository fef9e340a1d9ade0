"""The door to components: a change counts from the next check on, and stands in the audit trail with before and after."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from alerts.sealing import seal
from monitoring.health import alarms
from monitoring.health.choices import ADDABLE, BUILT_IN, OF_HOSTS, Kind, Status
from monitoring.health.kinds import KINDS, Text
from monitoring.health.models import HealthComponent
from monitoring.health.values import FIELDS, LONGEST_SECRET, cleaned, problems, shown_address, slug_of
from opsconsole.audit.actor import Actor
from opsconsole.audit.services import record
from opsconsole.audit.tuned import Refused, model_problems, refuse_outdated, stamp, with_values
from opsconsole.live.publish import publish


@transaction.atomic
def add(
    *,
    actor: Actor,
    kind: Kind,
    name: str,
    values: Mapping[str, Any],
    settings: Mapping[str, Any],
    authorization: str = "",
    reason: str,
    now: datetime | None = None,
) -> HealthComponent:
    """A target, or a further host (`values["host"]`). `values`: any of FIELDS; `authorization`: of an HTTP target. Raises Refused."""
    if kind not in ADDABLE:
        raise Refused({"kind": f"must be one of {', '.join(ADDABLE)}: the others are there by themselves"})
    if kind in OF_HOSTS and not values.get("host"):
        raise Refused({"host": "must be named: the console's own is looked at by itself"})
    moment, info = now or timezone.now(), KINDS[kind]
    component = HealthComponent(
        kind=kind,
        name=" ".join(name.split()),
        slug=slug_of(name),
        essential=info.essential,
        interval_seconds=info.interval,
        budget_seconds=info.budget,
        failures=info.failures,
        recoveries=info.recoveries,
        priority=info.priority,
        due_at=moment,
    )
    if not component.slug:
        raise Refused({"name": "must have at least one letter or digit of ASCII, for its address"})
    _put(component, values, settings)
    component.secrets = _sealed(kind, authorization)
    stamp(component, actor, moment)
    component.save()
    _tell(actor, "health.added", component, reason, None, as_values(component), moment)
    return component


@transaction.atomic
def change(
    *,
    actor: Actor,
    component_id: int,
    values: Mapping[str, Any],
    settings: Mapping[str, Any] | None = None,
    authorization: str | None = None,
    reason: str,
    version: int | None = None,
    now: datetime | None = None,
) -> tuple[HealthComponent, bool]:
    """The component, and whether anything is different. Its status begins anew when what is looked at does, or how it is judged.

    `settings` None, `authorization` None: as they are. `version`: the one that the caller read. Raises HealthComponent.DoesNotExist, Refused or
    ChangedMeanwhile.
    """
    component = HealthComponent.objects.select_for_update(no_key=True).get(pk=component_id)
    refuse_outdated(component.name, component.version, read=version)
    before, moment = as_values(component), now or timezone.now()
    old_secrets = component.secrets
    _put(component, values, component.settings if settings is None else settings)
    if authorization is not None:
        component.secrets = _sealed(Kind(component.kind), authorization)
    after = as_values(component)
    if before == after and old_secrets == component.secrets:
        return component, False
    component.version += 1
    stamp(component, actor, moment)
    if (
        before["settings"] != after["settings"]
        or before["enabled"] != after["enabled"]
        or authorization is not None
    ):
        _begin_anew(component, now=moment)
    component.due_at = min(component.due_at, moment + timedelta(seconds=component.interval_seconds))
    component.save()
    metadata = {"authorization": "changed"} if old_secrets != component.secrets else {}
    if before["settings"].get("url") != after["settings"].get("url"):
        metadata["url"] = "changed"
    _tell(actor, "health.changed_settings", component, reason, before, after, moment, metadata)
    return component, True


@transaction.atomic
def remove(*, actor: Actor, component_id: int, reason: str, now: datetime | None = None) -> None:
    """With its history. Raises HealthComponent.DoesNotExist, and Refused for what every console has."""
    component = HealthComponent.objects.select_for_update(no_key=True).get(pk=component_id)
    if not is_removable(component):
        raise Refused({"kind": "only what was added can be removed; anything else can be switched off"})
    moment = now or timezone.now()
    alarms.withdrawn(component, now=moment)
    _tell(actor, "health.removed", component, reason, as_values(component), None, moment)
    component.delete()


def is_removable(component: HealthComponent) -> bool:
    return component.kind in ADDABLE and component.slug not in BUILT_IN


def as_values(component: HealthComponent) -> dict[str, Any]:
    """What a person sets, without the sealed secrets."""
    values = {name: getattr(component, name) for name in FIELDS}
    return {"name": component.name, "kind": component.kind, **values, "settings": dict(component.settings)}


def _without_address(values: Mapping[str, Any]) -> dict[str, Any]:
    """For the audit trail, which more people read, and which forgets nothing."""
    settings = {
        name: shown_address(value) if name == "url" else value for name, value in values["settings"].items()
    }
    return {**values, "settings": settings}


def _put(component: HealthComponent, values: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Into the row, if it is sound with them."""
    kind, whole = Kind(component.kind), with_values(component, values, FIELDS)
    if unsound := model_problems(whole):
        raise Refused(unsound)
    fixed = {setting.name for setting in KINDS[kind].settings if isinstance(setting, Text) and setting.fixed}
    kept = {name: component.settings[name] for name in fixed if name in component.settings}
    if changed := [name for name in fixed if name in settings and settings[name] != kept.get(name)]:
        raise Refused({changed[0]: "says what the component is, and cannot be changed"})
    merged = {name: settings[name] for name in settings if name not in fixed}
    if wrong := problems(kind, {name: getattr(whole, name) for name in FIELDS}, merged):
        raise Refused({one.field: one.problem for one in reversed(wrong)})
    for name in values:
        setattr(component, name, getattr(whole, name))
    component.settings = cleaned(kind, merged) | kept


def _sealed(kind: Kind, authorization: str) -> str:
    if not authorization:
        return ""
    if kind != Kind.HTTP:
        raise Refused({"authorization": "only HTTP targets have one"})
    if len(authorization) > LONGEST_SECRET or not authorization.isprintable() or not authorization.isascii():
        raise Refused({"authorization": f"must be at most {LONGEST_SECRET} printable ASCII characters"})
    return seal({"authorization": authorization})


def _begin_anew(component: HealthComponent, *, now: datetime) -> None:
    """What was found, was found of something else. A check that is under way does not count any more."""
    alarms.withdrawn(component, now=now)
    component.well = component.up = 0
    component.claim = component.claimed_until = None
    component.due_at = now
    if not component.enabled:
        component.status = component.result = Status.UNKNOWN
        component.since, component.checked_at, component.summed_until = now, None, None


def _tell(
    actor: Actor,
    action: str,
    component: HealthComponent,
    reason: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    moment: datetime,
    metadata: Mapping[str, Any] | None = None,
) -> None:
    """`before`, `after`: as `as_values` has them."""
    record(
        actor=actor,
        action=action,
        obj=component,
        reason=reason,
        before=before and _without_address(before),
        after=after and _without_address(after),
        metadata=metadata,
        now=moment,
    )
    publish("health", ids=(component.pk,))
