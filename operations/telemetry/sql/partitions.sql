-- The partitions of the months that a batch speaks of, made where they are missing; months that are refused anyway get none.
-- Called by operations.telemetry.services.taking_in.take_in.
SELECT operations_reading_month(month) FROM (
    SELECT DISTINCT date_trunc('month', event_at AT TIME ZONE 'UTC')::date AS month FROM pg_temp.staged_reading
    WHERE event_at BETWEEN statement_timestamp() - interval '400 days' AND statement_timestamp() + interval '5 minutes'
) AS months
