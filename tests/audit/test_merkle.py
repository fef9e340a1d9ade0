"""The tree of RFC 6962: known answers, and random trees against the definition itself."""

from hashlib import sha256
from random import Random

import pytest

from opsconsole.audit.sealing.merkle import EMPTY_ROOT, Tree, leaf_hash, node_hash

# Of the reference implementation of Certificate Transparency (merkle_tree_test).
ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_definition(entries: list[bytes]) -> bytes:
    """MTH(D[n]) as section 2.1 writes it."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return leaf_hash(entries[0])
    half = 1
    while 2 * half < len(entries):
        half *= 2
    return node_hash(by_definition(entries[:half]), by_definition(entries[half:]))


@pytest.mark.parametrize(
    ("size", "frontier"),
    [(1, []), (2, [b"x" * 32, b"y" * 32]), (3, [b"x" * 32]), (1, [b"x" * 31]), (-1, [b"x" * 32])],
)
def test_refuses_a_frontier_that_no_such_tree_has(size: int, frontier: list[bytes]) -> None:
    with pytest.raises(ValueError, match="hash"):
        Tree(size, frontier)


def test_known_answers() -> None:
    tree = Tree()
    assert tree.root() == EMPTY_ROOT == sha256(b"").digest()
    for entry, root in zip(ENTRIES, ROOTS, strict=True):
        tree.append(bytes.fromhex(entry))
        assert tree.root().hex() == root


def test_a_leaf_is_no_node() -> None:
    left, right = sha256(b"left").digest(), sha256(b"right").digest()
    assert leaf_hash(left + right) != node_hash(left, right)


def test_random_trees_that_go_on_from_their_frontier() -> None:
    random = Random(6962)
    for _ in range(40):
        entries = [random.randbytes(32) for _ in range(random.randrange(300))]
        tree, done = Tree(), 0
        while done < len(entries):
            batch = entries[done : done + random.randrange(1, 90)]
            for entry in batch:
                tree.append(entry)
            done += len(batch)
            assert tree.root() == by_definition(entries[:done])
            tree = Tree(tree.size, tree.frontier)
        assert len(tree.frontier) == len(entries).bit_count()
