"""The one door to the seal on the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from opsconsole.audit.models import AuditSeal
from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.merkle import Tree
from opsconsole.audit.sealing.state import end, queued_again

# Any number that nothing else uses.
LOCK = 7_301_846_561
# Events in one transaction.
BATCH = 5_000
# The server ends a session that holds the lock and says nothing for so long: its process is suspended, or its network gone.
IDLE_MS = 10_000

TRY = "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_try_advisory_xact_lock(%s)"
OLDEST = "SELECT event_id, leaf FROM audit_auditpending ORDER BY written_at, event_id LIMIT %s"
APPEND = """
INSERT INTO audit_sealedleaf (index, event_id, leaf)
SELECT %s + number - 1, event_id, leaf FROM unnest(%s::bigint[], %s::bytea[]) WITH ORDINALITY AS u (event_id, leaf, number)
"""
TAKE_OUT = "DELETE FROM audit_auditpending WHERE event_id = ANY(%s)"


class SealingRefused(Exception):
    """The end of what is sealed is broken: somebody has changed it past its triggers. To seal on top would hide that."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """What one call has done: `count` events more, `size` in all. `checkpoint`: the signed note. `more`: others wait still."""

    count: int
    size: int
    root: bytes
    checkpoint: str
    more: bool


@transaction.atomic
def seal(*, now: datetime) -> Sealed | None:
    """Seal what has waited longest, at most BATCH events. None: nothing waits, or another process is at it. Raises SealingRefused.

    It waits for nobody and holds no lock that a writer takes. Whatever the tree's size, it reads its end alone.
    """
    keys = Keys()
    with connection.cursor() as cursor:
        cursor.execute(TRY, [str(IDLE_MS), LOCK])
        (_, locked) = cursor.fetchone() or ("", False)
        if not locked:
            return None
        found = end(keys=keys)
        cursor.execute(OLDEST, [BATCH])
        rows = cursor.fetchall()
        ids, leaves = [event_id for event_id, _ in rows], [bytes(leaf) for _, leaf in rows]
        if problem := found.problem or queued_again(ids):
            raise SealingRefused(problem)
        if not ids:
            return None
        tree = found.tree
        cursor.execute(APPEND, [tree.size, ids, leaves])
        cursor.execute(TAKE_OUT, [ids])
    for leaf in leaves:
        tree.append(leaf)
    made = _sealed(tree, keys, now)
    return Sealed(len(ids), tree.size, tree.root(), made.checkpoint, more=len(ids) == BATCH)


def _sealed(tree: Tree, keys: Keys, now: datetime) -> AuditSeal:
    signer, root = keys.signer(), tree.root()
    return AuditSeal.objects.create(
        at=now,
        size=tree.size,
        root=root,
        frontier=tree.frontier,
        checkpoint=signer.sign(Checkpoint(signer.name, tree.size, root).text),
        key_name=signer.name,
        key_id=signer.verifier.key_id.hex(),
    )
