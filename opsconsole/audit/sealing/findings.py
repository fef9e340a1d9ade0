"""What a check of the trail can find."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What was done past the triggers: to an event, to the queue, to sealed leaves, to a seal; or what a checkpoint proves."""

    EDITED = "edited"
    REMOVED = "removed"
    INSERTED = "inserted"
    QUEUED_AGAIN = "queued again"
    LEAVES = "leaves"
    SEAL = "seal"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True, slots=True)
class Finding:
    """`number`: of the event or the seal; of leaves, the first index; of a checkpoint, its size."""

    kind: Kind
    number: int
    words: str
