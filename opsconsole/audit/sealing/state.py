"""The end of what is sealed: from where sealing goes on, and whether it may."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.audit.models import AuditSeal, SealedLeaf
from opsconsole.audit.sealing.checkpoints import Checkpoint
from opsconsole.audit.sealing.merkle import Tree
from opsconsole.audit.sealing.notes import NoteRefused, UnknownKey
from opsconsole.audit.sealing.trust import Trust

SAYS_ELSE = "its checkpoint says something else"
LOST_KEY = (
    "its checkpoint is signed by no key that is known here; if OPSCONSOLE_SECRET_KEY was changed, the old one belongs into "
    "OPSCONSOLE_SECRET_KEY_FALLBACKS"
)


@dataclass(frozen=True, slots=True)
class End:
    """`seal` and `leaf`: the newest; None: nothing was sealed yet. `problem`: why nothing may be sealed on top of it; empty: it may."""

    seal: AuditSeal | None
    leaf: SealedLeaf | None
    problem: str

    @property
    def tree(self) -> Tree:
        """Only where there is no problem."""
        return Tree(self.seal.size, hashes(self.seal.frontier)) if self.seal else Tree()


def end(*, trust: Trust) -> End:
    """Whatever the tree's size, two rows are read."""
    seal = AuditSeal.objects.order_by("-pk").first()
    leaf = SealedLeaf.objects.order_by("-index").first()
    size, leaves = seal.size if seal else 0, leaf.index + 1 if leaf else 0
    problem = problem_of(seal, trust=trust) if seal else ""
    if not problem and leaves != size:
        problem = f"it seals {size:,} leaves, but the last one that is there is number {leaves:,}"
    if problem:
        problem = f"Seal {seal.pk} is broken: {problem}" if seal else f"No seal is there: {problem}"
    return End(seal, leaf, problem)


def queued_again(event_ids: Sequence[int]) -> str:
    """Why these cannot be sealed: one of them is already. Empty: they can."""
    again = (
        SealedLeaf.objects.filter(event_id__in=event_ids).order_by().values_list("event_id", flat=True)[:1]
    )
    return f"Event {again[0]} waits to be sealed, and is sealed already" if again else ""


def problem_of(seal: AuditSeal, *, trust: Trust) -> str:
    """What does not fit within one seal; empty: nothing."""
    try:
        tree = Tree(seal.size, hashes(seal.frontier))
    except ValueError as error:
        return str(error)
    if tree.root() != bytes(seal.root):
        return "its root is not that of its frontier"
    checkpoint = Checkpoint(seal.key_name, seal.size, bytes(seal.root))
    try:
        said, verifier = trust.read(seal.checkpoint)
    except UnknownKey:
        fits = seal.checkpoint.startswith(f"{checkpoint.text}\n")
        return ("" if trust.accepts(seal) else LOST_KEY) if fits else SAYS_ELSE
    except NoteRefused as error:
        return f"of its checkpoint: {error}"
    return "" if said == checkpoint and verifier.key_id.hex() == seal.key_id else SAYS_ELSE


def hashes(column: Sequence[bytes | memoryview]) -> list[bytes]:
    return [bytes(value) for value in column]
