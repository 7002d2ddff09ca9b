-- One pass of qualification at a time, until the transaction ends.
-- Called by registry.prequalification.services.passes.pull.
SELECT pg_advisory_xact_lock(hashtext('registry.prequalification'))
