"""The one door to the seal on the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from opsconsole.audit.models import AuditSeal
from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.merkle import Tree
from opsconsole.audit.sealing.state import BATCH, end

# Any number that nothing else uses.
LOCK = 7_301_846_561
# The server ends a session that holds the lock and says nothing for so long: its process is suspended, or its network gone.
IDLE_MS = 10_000

TRY = "SELECT set_config('idle_in_transaction_session_timeout', %s, true), pg_try_advisory_xact_lock(%s)"
TAKE = """
WITH oldest AS (SELECT event_id FROM audit_auditpending ORDER BY written_at, event_id LIMIT %s)
DELETE FROM audit_auditpending p USING oldest WHERE p.event_id = oldest.event_id RETURNING p.written_at, p.event_id, p.leaf
"""
APPEND = """
INSERT INTO audit_sealedleaf (index, event_id, leaf)
SELECT %s + number - 1, event_id, leaf FROM unnest(%s::bigint[], %s::bytea[]) WITH ORDINALITY AS u (event_id, leaf, number)
"""


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
        tree = _sound_end(keys)
        cursor.execute(TAKE, [BATCH])
        taken = sorted((at, event_id, bytes(leaf)) for at, event_id, leaf in cursor.fetchall())
        if not taken:
            return None
        leaves = [leaf for _, _, leaf in taken]
        cursor.execute(APPEND, [tree.size, [event_id for _, event_id, _ in taken], leaves])
    for leaf in leaves:
        tree.append(leaf)
    made = _sealed(tree, keys, now)
    return Sealed(len(taken), tree.size, tree.root(), made.checkpoint, more=len(taken) == BATCH)


def _sound_end(keys: Keys) -> Tree:
    found = end(keys=keys)
    if found.problem:
        raise SealingRefused(found.problem)
    return found.tree


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
