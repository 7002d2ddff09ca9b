-- Wait until no other transaction is looking for doubles among the devices that it has registered.
-- Called by registry.submissions.services.overtaken.refuse.
SELECT pg_advisory_xact_lock(hashtext('registry: a device is registered once'))
