-- A block-range index by transaction: rows are only ever added, so it stays small and tells where the new ones are.
-- Called by moc.seals.canon.make_indexes.
CREATE INDEX IF NOT EXISTS {index} ON {table} USING brin (transaction_id) WITH (pages_per_range = 32, autosummarize = on)
