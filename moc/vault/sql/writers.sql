-- The transactions of this database's other connections that have an id: whoever fetched a key to seal with is among them.
-- Called by moc.vault.rotation.writers. Other databases of the server do not matter, so no snapshot's horizon is asked.
SELECT l.transactionid::text
FROM pg_locks AS l
JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted
    AND a.datname = current_database() AND a.pid <> pg_backend_pid()
