"""What people, and the escalation, did with an alert: read from the audit trail, where each act stands with its reason."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerts.models import Alert
from opsconsole.audit.models import AuditEvent

SHOWN = 50
# Action: icon and what stands after the actor's name.
ACTS = {
    "alerts.acknowledged": ("user-check", "acknowledged it"),
    "alerts.unacknowledged": ("refresh", "took the acknowledgement back"),
    "alerts.assigned": ("user", "assigned it"),
    "alerts.escalated": ("arrow-up-right", "escalated it"),
    "alerts.button_refused": ("lock", "was refused at a button"),
    "alerts.escalation_withheld": ("bell-off", "did not escalate it"),
}
BAD = frozenset({"alerts.escalated"})


@dataclass(frozen=True, slots=True)
class Act:
    key: int
    at: datetime
    icon: str
    title: str
    text: str
    tone: str


def acts(alert: Alert) -> list[Act]:
    """One query. How it was resolved stands in the alert itself."""
    found = AuditEvent.objects.filter(object_type=Alert._meta.label_lower, object_id=str(alert.pk))
    events = found.filter(action__in=ACTS).order_by("-id")[:SHOWN]
    return [_act(event) for event in events]


def _act(event: AuditEvent) -> Act:
    icon, words = ACTS[event.action]
    title = f"{event.actor_name} {words}"
    if event.action == "alerts.escalation_withheld":
        title = "It was due, and was not escalated"
    if event.action == "alerts.escalated":
        title = "Nobody acknowledged in time, so it went up"
    if event.action == "alerts.assigned":
        name = (event.after or {}).get("assignee")
        title = (
            f"{event.actor_name} assigned it to {name}"
            if name
            else f"{event.actor_name} took the assignment back"
        )
    return Act(event.pk, event.at, icon, title, _text(event), "bad" if event.action in BAD else "")


def _text(event: AuditEvent) -> str:
    changed = _priority(event.before or {}, event.after or {})
    reason = event.reason.strip()
    if event.action == "alerts.escalated":
        return f"{reason.rstrip('.')}. {changed}".strip(". ") + "." if reason or changed else ""
    return f"“{reason}”" if reason else ""


def _priority(before: dict[str, Any], after: dict[str, Any]) -> str:
    old, new = before.get("priority"), after.get("priority")
    return f"{old} became {new}" if old and new and old != new else ""
