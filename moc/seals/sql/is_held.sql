-- Whether a row is about a party whose rows must stay.
-- Called by moc.seals.destroying._is_held, of the rows of an archive that were read back.
SELECT EXISTS (SELECT FROM {table} WHERE {party} = ANY(%(held)s))
