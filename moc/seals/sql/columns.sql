-- The columns that a table has today.
-- Called by moc.seals.canon.lost.
SELECT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name = %(table)s
