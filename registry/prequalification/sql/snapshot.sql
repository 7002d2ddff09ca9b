-- What this pass can see, and the oldest transaction that was still open: versions below it need not be looked at again.
-- Called by registry.prequalification.services.passes.pull.
SELECT pg_current_snapshot()::text, pg_snapshot_xmin(pg_current_snapshot())::text::bigint
