-- The partitions of the months that a batch speaks of, made where they are missing; months that are refused anyway get none.
-- Called by operations.telemetry.services.taking_in.take_in.
SELECT operations_reading_month(month::date)
FROM (
    SELECT greatest(min(event_at), statement_timestamp() - make_interval(secs => 86400 * %(back_days)s)) AT TIME ZONE 'UTC' AS first,
        least(max(event_at), statement_timestamp() + make_interval(secs => %(ahead_s)s)) AT TIME ZONE 'UTC' AS last
    FROM {staged}
) AS span
CROSS JOIN generate_series(date_trunc('month', first), last, interval '1 month') AS month
