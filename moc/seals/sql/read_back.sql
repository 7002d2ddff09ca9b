-- An empty table like one of ours, for rows that are read back from files; it ends with the transaction.
-- Called by moc.seals.archives.loaded.
DROP TABLE IF EXISTS pg_temp.{into};
CREATE TEMPORARY TABLE {into} (LIKE {table}) ON COMMIT DROP;
CREATE INDEX ON {into} ({key})
