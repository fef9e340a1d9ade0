"""The tree, grown anew from the sealed leaves, beside the seals and beside checkpoints that somebody has kept.

Each seal is judged by its own part of the tree: after one that does not fit, the check goes on from the frontier that was sealed, so that what was
changed is narrowed down to the leaves between two seals.
"""

from collections.abc import Iterator, Sequence
from itertools import chain

from opsconsole.audit.models import AuditSeal
from opsconsole.audit.sealing.findings import Finding, Kind
from opsconsole.audit.sealing.keeping import Kept
from opsconsole.audit.sealing.merkle import Tree
from opsconsole.audit.sealing.rows import Step, in_order
from opsconsole.audit.sealing.state import hashes, problem_of
from opsconsole.audit.sealing.trust import Trust

LEAVES = """
SELECT s.index, s.event_id, s.leaf, e.id IS NOT NULL FROM audit_sealedleaf s LEFT JOIN audit_auditevent e ON e.id = s.event_id
WHERE s.index > %s ORDER BY s.index LIMIT %s
"""
SEALS = 500


class Replay:
    """One pass over the leaves. `step` is told of each piece of them."""

    def __init__(self, *, trust: Trust, kept: Sequence[Kept], step: Step) -> None:
        self.seals = 0
        self._trust = trust
        self._kept = sorted(kept, key=lambda one: one.checkpoint.size, reverse=True)
        self._leaves = in_order(LEAVES, step=step)
        self._coming = next(self._leaves, None)
        self._tree = Tree()
        # Whether the tree has every leaf that it ought to have.
        self._is_whole = True
        # The index that comes next, and the events between the seal before and here.
        self._next = 0
        self._events: tuple[int, int] | None = None

    @property
    def root(self) -> bytes:
        return self._tree.root()

    def findings(self) -> Iterator[Finding]:
        yield from self._compare_kept()
        for seal in _seals():
            self.seals += 1
            yield from self._look_at(seal)
        yield from self._look_at_rest()

    def _look_at(self, seal: AuditSeal) -> Iterator[Finding]:
        name = f"Seal {seal.pk} of {seal.at:%Y-%m-%d %H:%M:%S} UTC"
        first, self._events = self._next, None
        problem = problem_of(seal, trust=self._trust)
        if problem:
            yield Finding(Kind.SEAL, seal.pk, f"{name} is not as it was made: {problem}")
        yield from self._grow(seal.size)
        fits = self._is_whole and self._tree.root() == bytes(seal.root)
        if not fits and not problem:
            words = f"{name} does not fit {self._span(first)}: something there was changed, moved or removed"
            yield Finding(Kind.SEAL, seal.pk, words)
            self._tree, self._is_whole = Tree(seal.size, hashes(seal.frontier)), True

    def _span(self, first: int) -> str:
        events = f", events {self._events[0]} to {self._events[1]}" if self._events else ""
        return f"the leaves {first} to {self._next - 1}{events}"

    def _grow(self, size: int) -> Iterator[Finding]:
        """Up to this size."""
        while self._coming is not None and self._coming[0] < size:
            index, event_id, leaf, is_there = self._coming
            self._coming = next(self._leaves, None)
            yield from self._skip_to(index)
            self._next = index + 1
            low, high = self._events or (event_id, event_id)
            self._events = min(low, event_id), max(high, event_id)
            if not is_there:
                yield Finding(
                    Kind.REMOVED, event_id, f"Event {event_id}, sealed at index {index}, was removed"
                )
            self._tree.append(bytes(leaf))
            if self._kept and self._kept[-1].checkpoint.size <= self._next:
                yield from self._compare_kept()
        yield from self._skip_to(size)

    def _skip_to(self, index: int) -> Iterator[Finding]:
        if self._next < index:
            words = f"Of the sealed leaves, {self._next} to {index - 1} are missing"
            yield Finding(Kind.LEAVES, self._next, words)
            self._is_whole = False
            self._next = index

    def _compare_kept(self) -> Iterator[Finding]:
        """With those of the tree's size. They are in the order of their sizes, the smallest last."""
        while self._kept and self._kept[-1].checkpoint.size <= self._next:
            kept = self._kept.pop()
            if not self._is_whole or kept.checkpoint.size != self._tree.size:
                yield _kept(kept, "it cannot be compared, since sealed leaves are missing")
            elif kept.checkpoint.root != self._tree.root():
                yield _kept(
                    kept, "the tree of this size is another one now: something in it was rewritten since"
                )

    def _look_at_rest(self) -> Iterator[Finding]:
        yield from self._compare_kept()
        size = self._next
        if self._coming is not None:
            yield Finding(Kind.LEAVES, size, f"The leaves from {self._coming[0]} on are in no seal")
            for index, event_id, _, is_there in chain([self._coming], self._leaves):
                if not is_there:
                    yield Finding(Kind.REMOVED, event_id, f"Event {event_id}, at index {index}, was removed")
        for kept in reversed(self._kept):
            yield _kept(kept, f"only {size:,} events are sealed: the end of the trail was cut off")


def _kept(kept: Kept, words: str) -> Finding:
    size = kept.checkpoint.size
    return Finding(
        Kind.CHECKPOINT, size, f"The checkpoint of {size:,} events in {kept.place} does not fit: {words}"
    )


def _seals() -> Iterator[AuditSeal]:
    """In the order of their sizes."""
    above = -1
    while found := list(AuditSeal.objects.filter(size__gt=above).order_by("size")[:SEALS]):
        yield from found
        above = found[-1].size
