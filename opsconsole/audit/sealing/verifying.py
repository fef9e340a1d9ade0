"""Whether the trail is still what was written and sealed. Reads everything, in one snapshot, and changes nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction

from opsconsole.audit.sealing.findings import Finding, Kind
from opsconsole.audit.sealing.keeping import Kept
from opsconsole.audit.sealing.replaying import Replay
from opsconsole.audit.sealing.rows import CHUNK, LOWEST, Step, count, rows
from opsconsole.audit.sealing.trust import Trust

SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
BOUNDS = """
SELECT max(id), count(*) FROM (SELECT id FROM audit_auditevent WHERE id > %s ORDER BY id LIMIT %s) AS chunk
"""
# Of a chunk, the events with which something is the matter. The leaf is made anew by the function that the trigger uses.
WRONG = """
WITH chunk AS MATERIALIZED (
    SELECT e.id, e.leaf, audit_event_leaf(e) AS made FROM audit_auditevent e WHERE e.id > %s AND e.id <= %s
)
SELECT c.id, s.index, s.leaf <> c.made, p.event_id IS NOT NULL, p.leaf <> c.made
FROM chunk c LEFT JOIN audit_sealedleaf s ON s.event_id = c.id LEFT JOIN audit_auditpending p ON p.event_id = c.id
WHERE c.leaf <> c.made OR s.leaf <> c.made OR p.leaf <> c.made OR (s.event_id IS NULL) = (p.event_id IS NULL)
ORDER BY c.id
"""
LOST = """
SELECT p.event_id FROM audit_auditpending p LEFT JOIN audit_auditevent e ON e.id = p.event_id WHERE e.id IS NULL ORDER BY p.event_id
"""

# Told of the rows that are done, and of how many there are.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """How much was looked at, and the root that came out."""

    events: int
    leaves: int
    seals: int
    pending: int
    kept: int
    findings: int
    root: bytes


def verify(*, tell: Callable[[Finding], None], progress: Progress, kept: Sequence[Kept] = ()) -> Verified:
    """`tell` gets each finding as soon as it is made. `kept`: checkpoints from outside. RuntimeError within a transaction."""
    if connection.in_atomic_block:
        raise RuntimeError("verify() needs a transaction of its own, since it reads one snapshot")
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SNAPSHOT)
        events, leaves = count("audit_auditevent"), count("audit_sealedleaf")
        step = _stepping(progress, events + leaves)
        replay = Replay(trust=Trust(), kept=kept, step=step)
        findings = 0
        for part in (_of_events(step), _of_queue(), replay.findings()):
            for finding in part:
                findings += 1
                tell(finding)
        return Verified(
            events=events,
            leaves=leaves,
            seals=replay.seals,
            pending=count("audit_auditpending"),
            kept=len(kept),
            findings=findings,
            root=replay.root,
        )


def _stepping(progress: Progress, total: int) -> Step:
    done = 0

    def step(more: int) -> None:
        nonlocal done
        done += more
        progress(done, total)

    return step


def _of_events(step: Step) -> Iterator[Finding]:
    above = LOWEST
    while True:
        ((last, size),) = rows(BOUNDS, [above, CHUNK])
        if last is None:
            return
        for row in rows(WRONG, [above, last]):
            yield _wrong(*row)
        above = last
        step(size)


def _wrong(
    event_id: int, index: int | None, not_as_sealed: bool | None, waits: bool, not_as_queued: bool | None
) -> Finding:
    if index is None and not waits:
        return Finding(
            Kind.INSERTED,
            event_id,
            f"Event {event_id} was inserted: it is neither sealed nor does it wait to be",
        )
    if not_as_sealed:
        words = f"Event {event_id} was edited: it is not what was sealed at index {index}"
    elif not_as_queued:
        words = f"Event {event_id} was edited while it waited to be sealed"
    elif index is not None and waits:
        return Finding(
            Kind.QUEUED_AGAIN, event_id, f"Event {event_id} was queued again: it is sealed already"
        )
    else:
        words = f"Event {event_id} was edited: its leaf is not that of its fields"
    return Finding(Kind.EDITED, event_id, words)


def _of_queue() -> Iterator[Finding]:
    for (event_id,) in rows(LOST):
        yield Finding(Kind.REMOVED, event_id, f"Event {event_id} was removed while it waited to be sealed")
