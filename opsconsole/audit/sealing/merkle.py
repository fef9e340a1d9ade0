"""The Merkle tree of RFC 6962 (section 2.1; the same in RFC 9162), grown leaf by leaf. Pure.

Of the whole tree only its frontier is kept: the roots of the perfect subtrees that it is made of, the largest first, one for each bit that is
set in its size. That is all it takes to go on and to know the root.
"""

from collections.abc import Iterable
from hashlib import sha256

HASH_BYTES = 32
# So that no inner node can pass for a leaf.
_LEAF, _NODE = b"\x00", b"\x01"
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(entry: bytes) -> bytes:
    return sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(_NODE + left + right).digest()


class Tree:
    """`frontier`: as of a tree of this size; ValueError when it cannot be."""

    def __init__(self, size: int = 0, frontier: Iterable[bytes] = ()) -> None:
        self.size = size
        self._frontier = list(frontier)
        if size < 0 or len(self._frontier) != size.bit_count():
            raise ValueError(f"a tree of size {size} has no frontier of {len(self._frontier)} hashes")
        if any(len(node) != HASH_BYTES for node in self._frontier):
            raise ValueError(f"each hash of a frontier has {HASH_BYTES} bytes")

    @property
    def frontier(self) -> list[bytes]:
        return list(self._frontier)

    def append(self, entry: bytes) -> None:
        """One more leaf. On average, one inner node is made."""
        node, joined = leaf_hash(entry), self.size
        while joined & 1:
            node = node_hash(self._frontier.pop(), node)
            joined >>= 1
        self._frontier.append(node)
        self.size += 1

    def root(self) -> bytes:
        if not self._frontier:
            return EMPTY_ROOT
        *rest, node = self._frontier
        for left in reversed(rest):
            node = node_hash(left, node)
        return node
