"""Which keys seals are believed by: those of this console, and ones that were lost, as far as somebody has accepted what they had sealed."""

from opsconsole.audit.models import AuditEvent, AuditSeal
from opsconsole.audit.sealing.checkpoints import Keys

# What the trail says of it; its object is the last seal that is accepted so.
ACCEPTED = "audit.lost_key_accepted"


class Trust(Keys):
    """What was accepted is read once, and only if some seal asks for it."""

    def __init__(self) -> None:
        super().__init__()
        self._accepted: dict[str, int] | None = None

    def accepts(self, seal: AuditSeal) -> bool:
        """Whether the lost key that this seal names was accepted up to here."""
        if self._accepted is None:
            events = (
                AuditEvent.objects.filter(action=ACCEPTED).order_by("pk").values_list("after", "object_id")
            )
            self._accepted = {str((after or {}).get("key_id")): int(pk) for after, pk in events}
        return seal.pk <= self._accepted.get(seal.key_id, -1)
