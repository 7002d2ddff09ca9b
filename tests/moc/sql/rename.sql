-- Renames the counties of a state; answers with their codes.
-- Called by tests/moc/test_bulk.py.
UPDATE {table} SET name = %(name)s WHERE state = %(state)s AND name <> 'kept 100%%' RETURNING fips
