-- Removes from its table what an archive holds: as many rows as it has, or none.
-- Called by moc.seals.archiving._let_go.
SELECT moc_let_go(%(archive)s)
