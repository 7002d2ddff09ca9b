-- An empty table for the readings of one batch, which ends with the transaction.
-- Called by operations.telemetry.services.taking_in.take_in.
DROP TABLE IF EXISTS pg_temp.staged_reading;
CREATE TEMPORARY TABLE staged_reading (
    row_number integer, der uuid, event_at timestamptz, published_at timestamptz, source text, quality text, operating text,
    p_kw float8, q_kvar float8, soc_percent float8, up_kw float8, down_kw float8, interval_s integer
) ON COMMIT DROP
