-- The partitions of the months from a moment to the next one, made where they are missing.
-- Called by operations.telemetry.services.taking_in.prepare.
SELECT operations_reading_month(month::date)
FROM generate_series(date_trunc('month', %(since)s AT TIME ZONE 'UTC'), now() AT TIME ZONE 'UTC' + interval '1 month', interval '1 month') AS month
