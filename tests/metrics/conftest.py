from tests.cast import alice, bob, charlie, sam, trader

__all__ = ["alice", "bob", "charlie", "sam", "trader"]
