-- Judges the readings of a batch, stores the good ones, and brings the latest states up to them.
-- Called by operations.telemetry.services.taking_in.take_in.
WITH judged AS MATERIALIZED (
    SELECT s.*, d.id AS der_id, d.aggregator_id, d.edc_id,
        CASE
            WHEN d.id IS NULL OR d.status <> 'active' THEN 'TEL-DER'
            WHEN NOT coalesce(d.aggregator_id = ANY (%(aggregators)s::bigint[]), false) AND d.edc_id <> ALL (%(edcs)s::bigint[]) THEN 'TEL-DER'
            WHEN s.event_at > statement_timestamp() + interval '5 minutes' THEN 'TEL-FUTURE'
            WHEN s.event_at < statement_timestamp() - interval '400 days' THEN 'TEL-OLD'
            WHEN s.published_at < s.event_at OR s.published_at > statement_timestamp() + interval '5 minutes' THEN 'TEL-PUBLISHED'
            WHEN s.p_kw > most.kw OR s.p_kw < -most.kw OR abs(s.q_kvar) > most.kw OR s.soc_percent NOT BETWEEN 0 AND 100
                OR s.up_kw NOT BETWEEN 0 AND 2 * most.kw OR s.down_kw NOT BETWEEN 0 AND 2 * most.kw THEN 'TEL-RANGE'
        END AS code
    FROM pg_temp.staged_reading AS s
    LEFT JOIN registry_der AS d ON d.uuid = s.der
    CROSS JOIN LATERAL (
        SELECT 1.2 * greatest(d.nameplate_ac_kw, d.max_charge_kw, d.max_discharge_kw, 0)::float8 + 1 AS kw
    ) AS most
), good AS (
    SELECT * FROM judged WHERE code IS NULL
), stored AS (
    INSERT INTO operations_reading (
        der_id, aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw
    )
    SELECT der_id, aggregator_id, edc_id, event_at, published_at, statement_timestamp(), source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw
    FROM good
    ORDER BY row_number
    ON CONFLICT (der_id, event_at, published_at) DO NOTHING
    RETURNING 1
), latest AS (
    INSERT INTO operations_derstate AS known (
        der_id, aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, stale_at
    )
    SELECT DISTINCT ON (der_id) der_id, aggregator_id, edc_id, event_at, published_at, statement_timestamp(), source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, event_at + 3 * make_interval(secs => interval_s)
    FROM good
    ORDER BY der_id, event_at DESC, published_at DESC, row_number
    ON CONFLICT (der_id) DO UPDATE SET
        (aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating, p_kw, q_kvar, soc_percent, up_kw,
            down_kw, stale_at)
        = (excluded.aggregator_id, excluded.edc_id, excluded.event_at, excluded.published_at, excluded.received_at, excluded.source,
            excluded.quality, excluded.operating, excluded.p_kw, excluded.q_kvar, excluded.soc_percent, excluded.up_kw,
            excluded.down_kw, excluded.stale_at)
    WHERE (known.event_at, known.published_at) < (excluded.event_at, excluded.published_at)
)
SELECT row_number, code FROM judged WHERE code IS NOT NULL
UNION ALL SELECT -count(*)::integer, 'good' FROM good
UNION ALL SELECT -count(*)::integer, 'stored' FROM stored
