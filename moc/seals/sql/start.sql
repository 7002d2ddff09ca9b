-- One sealer at a time, and the writing of values that does not depend on the session.
-- Called by moc.seals.canon.hold_still.
SELECT
    CASE WHEN %(alone)s THEN pg_advisory_xact_lock(hashtext('moc.seals'))::text END,
    set_config('TimeZone', 'UTC', true),
    set_config('DateStyle', 'ISO, YMD', true),
    set_config('IntervalStyle', 'iso_8601', true),
    set_config('bytea_output', 'hex', true),
    set_config('extra_float_digits', '1', true)
