-- The partitions of this month and the next, made where they are missing.
-- Called by operations.telemetry.services.taking_in.prepare.
SELECT operations_reading_month((date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n))::date)
FROM generate_series(0, 1) AS n
