"""The one door into the audit trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from opsconsole.audit.actor import Actor
from opsconsole.audit.models import AuditEvent
from opsconsole.audit.storable import storable_json, storable_text
from opsconsole.live.publish import publish


def record(
    *,
    actor: Actor,
    action: str,
    reason: str,
    obj: Model | None = None,
    object_type: str = "",
    object_id: str = "",
    object_label: str = "",
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> AuditEvent:
    """Write one event, in the transaction of the change that it tells of (RuntimeError outside of one).

    `obj` fills the three object fields, unless they are given. Texts that are too long for their column are cut, so that no
    change is ever refused over the length of a name. `leaf` of the event returned is read from the database when asked for.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record() belongs in the transaction of the change that it tells of")
    if obj is not None:
        object_type = object_type or obj._meta.label_lower
        object_id = object_id or str(obj.pk)
        object_label = object_label or str(obj)
    event = AuditEvent.objects.create(
        at=now or timezone.now(),
        actor_kind=actor.kind,
        actor_name=_cut("actor_name", actor.name),
        actor_id=actor.user_id,
        action=action,
        object_type=object_type,
        object_id=_cut("object_id", object_id),
        object_label=_cut("object_label", object_label),
        reason=storable_text(reason),
        before=storable_json(before),
        after=storable_json(after),
        metadata=storable_json(metadata or {}),
        ip=actor.ip,
        request_id=_cut("request_id", actor.request_id),
        leaf=b"",
    )
    del event.leaf
    publish("audit", ids=(event.pk,))
    return event


def _cut(field: str, text: str) -> str:
    return storable_text(text, length=getattr(AuditEvent._meta.get_field(field), "max_length", None))
