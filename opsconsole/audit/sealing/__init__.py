"""The seal on the audit trail: an append-only Merkle tree over the leaves of all events, and signed checkpoints of it (docs/audit.md)."""
