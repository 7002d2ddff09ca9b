-- Judges the readings of DERs in a batch, stores the good ones, and brings the latest states up to them.
-- Called by operations.telemetry.services.taking_in.take_in.
-- Two batches that name the same DERs wait for each other by aggregator, so that they never block each other; what came between is seen by
-- ON CONFLICT and by the second look of UPDATE. A state is the latest of all readings of its DER: a reading that moves it is no known one,
-- and needs no search for a conflict (a sixth of the time); the key refuses it if that should ever be untrue.
WITH judged AS MATERIALIZED (
    SELECT s.row_number, d.id AS der_id, d.aggregator_id, d.edc_id, s.event_at, s.published_at, (%(sources)s::text[])[s.source] AS source,
        (%(qualities)s::text[])[s.quality] AS quality, (%(operating)s::text[])[s.operating] AS operating,
        s.p_kw, s.q_kvar, s.soc_percent, s.up_kw, s.down_kw,
        s.event_at + make_interval(secs => %(stale_intervals)s * coalesce(s.interval_s, d.telemetry_interval_s, %(interval_s)s)) AS stale_at,
        CASE
            WHEN d.id IS NULL OR d.status <> 'active' THEN 'TEL-DER'
            WHEN NOT coalesce(d.aggregator_id = ANY (%(senders)s::bigint[]), false) AND d.edc_id <> ALL (%(senders)s::bigint[]) AND NOT EXISTS (
                SELECT FROM registry_aggregationmember AS m
                JOIN registry_aggregation AS a ON a.id = m.aggregation_id
                WHERE m.der_id = d.id AND m.valid_during @> (s.event_at AT TIME ZONE %(zone)s)::date AND a.status NOT IN ('draft', 'retired')
                    AND (a.dispatch_agent_id = ANY (%(senders)s::bigint[]) OR a.meter_reader_id = ANY (%(senders)s::bigint[]))
            ) THEN 'TEL-DER'
            WHEN s.event_at > statement_timestamp() + make_interval(secs => %(ahead_s)s) THEN 'TEL-FUTURE'
            WHEN s.event_at < statement_timestamp() - make_interval(secs => 86400 * %(back_days)s) THEN 'TEL-OLD'
            WHEN s.published_at < s.event_at OR s.published_at > statement_timestamp() + make_interval(secs => %(ahead_s)s) THEN 'TEL-PUBLISHED'
            WHEN abs(s.p_kw) > most.kw OR abs(s.q_kvar) > most.kw OR s.soc_percent NOT BETWEEN 0 AND 100
                OR s.up_kw NOT BETWEEN 0 AND 2 * most.kw OR s.down_kw NOT BETWEEN 0 AND 2 * most.kw THEN 'TEL-RANGE'
        END AS code
    FROM pg_temp.staged_ders AS s
    LEFT JOIN registry_der AS d ON d.uuid = s.der
    CROSS JOIN LATERAL (
        SELECT (1 + %(over_percent)s / 100.0) * greatest(d.nameplate_ac_kw, d.max_charge_kw, d.max_discharge_kw, 0)::float8 + 1 AS kw
    ) AS most
), good AS (
    SELECT * FROM judged WHERE code IS NULL
), held AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock(hashtext('operations_derstate'), party::integer)) AS parties
    FROM (SELECT DISTINCT coalesce(aggregator_id, -edc_id) AS party FROM good ORDER BY 1) AS parties
), latest AS MATERIALIZED (
    SELECT DISTINCT ON (der_id) * FROM good ORDER BY der_id, event_at DESC, published_at DESC, row_number
), moved AS (
    UPDATE operations_derstate AS known SET
        aggregator_id = l.aggregator_id, edc_id = l.edc_id, event_at = l.event_at, published_at = l.published_at,
        received_at = statement_timestamp(), source = l.source, quality = l.quality, operating = l.operating, p_kw = l.p_kw,
        q_kvar = l.q_kvar, soc_percent = l.soc_percent, up_kw = l.up_kw, down_kw = l.down_kw, stale_at = l.stale_at
    FROM latest AS l
    WHERE known.der_id = l.der_id AND (known.event_at, known.published_at) < (l.event_at, l.published_at)
        AND (SELECT parties FROM held) > 0
    RETURNING l.*
), fresh AS (
    INSERT INTO operations_reading (
        der_id, aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, transaction_id
    )
    SELECT der_id, aggregator_id, edc_id, event_at, published_at, statement_timestamp(), source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, (SELECT pg_current_xact_id()::text::bigint)
    FROM moved
), others AS (
    INSERT INTO operations_reading (
        der_id, aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, transaction_id
    )
    SELECT der_id, aggregator_id, edc_id, event_at, published_at, statement_timestamp(), source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, (SELECT pg_current_xact_id()::text::bigint)
    FROM good AS g
    WHERE (SELECT count(*) FROM moved) < (SELECT count(*) FROM good) AND NOT EXISTS (
        SELECT FROM moved AS m WHERE m.der_id = g.der_id AND m.event_at = g.event_at AND m.published_at = g.published_at
    )
    ORDER BY row_number
    ON CONFLICT (der_id, event_at, published_at) DO NOTHING
    RETURNING 1
), begun AS (
    INSERT INTO operations_derstate AS known (
        der_id, aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, stale_at
    )
    SELECT der_id, aggregator_id, edc_id, event_at, published_at, statement_timestamp(), source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, stale_at
    FROM latest AS l
    WHERE (SELECT count(*) FROM moved) < (SELECT count(*) FROM latest) AND NOT EXISTS (SELECT FROM moved AS m WHERE m.der_id = l.der_id)
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
UNION ALL SELECT -((SELECT count(*) FROM moved) + (SELECT count(*) FROM others))::integer, 'stored'
