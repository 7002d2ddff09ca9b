"""Base of the API: scoped resources with keyset pages, versions as entity tags, problem documents, bodies streamed to disk."""
