-- The keys of a table as ranges [first, end).
-- Called by moc.seals.destroying._state, of the rows of an archive that were read back.
SELECT lower(part), upper(part)
FROM unnest((SELECT range_agg(int8range({key}, {key}, '[]')) FROM {table})) AS part
