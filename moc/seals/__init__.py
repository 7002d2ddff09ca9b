"""Sealed history: signed Merkle trees over every version and every append-only record, and their verification. N4, N12."""
