-- An empty table for the readings of DERs in one batch, which ends with the transaction. Source, quality and operating are positions in their choices.
-- Called by operations.telemetry.services.taking_in.take_in.
DROP TABLE IF EXISTS pg_temp.staged_ders;
CREATE TEMPORARY TABLE staged_ders (
    row_number integer, der uuid, event_at timestamptz, published_at timestamptz, source smallint, quality smallint, operating smallint,
    p_kw float8, q_kvar float8, soc_percent float8, up_kw float8, down_kw float8, interval_s integer
) ON COMMIT DROP
