"""The audit page's live part: how far the trail is sealed."""

from django.template.loader import render_to_string
from django.utils import timezone

from opsconsole.audit.sealing.sealer import EVENTS, SEALED
from opsconsole.audit.sealing.selectors import standing
from opsconsole.live.feeds import LivePart, register_part


def register() -> None:
    """Called once, from `AuditConfig.ready()`."""
    register_part(
        LivePart(
            target="audit-seal",
            topics=frozenset({EVENTS, SEALED}),
            render=audit_seal,
            pages=frozenset({"audit"}),
        )
    )


def audit_seal() -> str:
    return render_to_string("audit/parts/seal.html", {"standing": standing(now=timezone.now())})
