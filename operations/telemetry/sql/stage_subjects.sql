-- An empty table for the readings of other subjects in one batch, which ends with the transaction. Source and quality are positions in their choices.
-- Called by operations.telemetry.services.taking_in.take_in.
DROP TABLE IF EXISTS pg_temp.staged_subjects;
CREATE TEMPORARY TABLE staged_subjects (
    row_number integer, kind text, name text, edc text, event_at timestamptz, published_at timestamptz, source smallint, quality smallint,
    p_kw float8, q_kvar float8, up_kw float8, down_kw float8, voltage_pu float8, interval_s integer
) ON COMMIT DROP
