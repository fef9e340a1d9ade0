"""The one door to the seal on the audit trail."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction

from opsconsole.audit.actor import Actor
from opsconsole.audit.models import AuditSeal
from opsconsole.audit.sealing.checkpoints import Checkpoint, Keys
from opsconsole.audit.sealing.merkle import Tree
from opsconsole.audit.sealing.state import LOST_KEY, end, problem_of, queued_again
from opsconsole.audit.sealing.trust import ACCEPTED, Trust
from opsconsole.audit.services import record

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
    trust = Trust()
    with connection.cursor() as cursor:
        cursor.execute(TRY, [str(IDLE_MS), LOCK])
        (_, locked) = cursor.fetchone() or ("", False)
        if not locked:
            return None
        found = end(trust=trust)
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
    made = _sealed(tree, trust, now)
    return Sealed(len(ids), tree.size, tree.root(), made.checkpoint, more=len(ids) == BATCH)


class NothingToAccept(Exception):
    """The newest seal is not refused for want of its key; the text says what is the matter with it, if anything is."""


@transaction.atomic
def accept_lost_key(*, actor: Actor, reason: str, now: datetime) -> AuditSeal:
    """Go on after a seal whose key is gone for good: what it had sealed is taken as it is. The newest seal. Raises NothingToAccept.

    The trail says so, under the next key: whoever does not trust it compares with a checkpoint of before.
    """
    trust = Trust()
    found = end(trust=trust)
    if found.seal is None or problem_of(found.seal, trust=trust) != LOST_KEY:
        raise NothingToAccept(found.problem or "The newest seal is signed by a key that is here.")
    record(
        actor=actor,
        action=ACCEPTED,
        reason=reason,
        obj=found.seal,
        object_label=f"Seal {found.seal.pk}",
        after={"key_name": found.seal.key_name, "key_id": found.seal.key_id, "size": found.seal.size},
        now=now,
    )
    return found.seal


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
