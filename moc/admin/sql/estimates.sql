-- Estimated row counts of tables, from the planner's statistics (no table is read).
-- Called by moc.admin.front.figures.
SELECT relname, greatest(reltuples, 0)::bigint
FROM pg_class
WHERE relname = ANY(%(tables)s) AND relkind = 'r' AND relnamespace = 'public'::regnamespace
