-- Judges the readings of other subjects in a batch, stores the good ones, and brings the latest states up to them.
-- Called by operations.telemetry.services.taking_in.take_in.
-- Who may send: an aggregation's aggregator, dispatch agent and meter reader; the utility; at an interface the RTO too.
WITH named AS (
    SELECT DISTINCT kind, name, edc FROM pg_temp.staged_subjects
), found AS (
    SELECT n.kind, n.name, n.edc, a.id AS aggregation_id, NULL::bigint AS feeder_id, NULL::bigint AS transformer_id,
        NULL::bigint AS td_interface_id, a.aggregator_id, a.edc_id, a.tso_id, NULL::float8 AS most_kw
    FROM named AS n
    JOIN registry_aggregation AS a ON n.kind = 'aggregation' AND a.uuid::text = lower(n.name) AND a.status NOT IN ('draft', 'retired')
    WHERE a.aggregator_id = ANY (%(senders)s::bigint[]) OR a.dispatch_agent_id = ANY (%(senders)s::bigint[])
        OR a.meter_reader_id = ANY (%(senders)s::bigint[])
    UNION ALL
    SELECT n.kind, n.name, n.edc, NULL, f.id, NULL, NULL, NULL, f.edc_id, NULL, NULL
    FROM named AS n
    JOIN registry_feeder AS f ON n.kind = 'feeder' AND f.code = n.name AND f.edc_id = ANY (%(senders)s::bigint[])
    JOIN moc_organization AS o ON o.id = f.edc_id AND coalesce(n.edc, '') IN ('', o.slug)
    UNION ALL
    SELECT n.kind, n.name, n.edc, NULL, NULL, t.id, NULL, NULL, t.edc_id, NULL,
        (1 + %(transformer_over_percent)s / 100.0) * t.rated_kva::float8
    FROM named AS n
    JOIN registry_transformer AS t ON n.kind = 'transformer' AND t.code = n.name AND t.edc_id = ANY (%(senders)s::bigint[])
    JOIN moc_organization AS o ON o.id = t.edc_id AND coalesce(n.edc, '') IN ('', o.slug)
    UNION ALL
    SELECT n.kind, n.name, n.edc, NULL, NULL, NULL, i.id, NULL, i.edc_id, p.tso_id, NULL
    FROM named AS n
    JOIN registry_tdinterface AS i ON n.kind = 'td_interface' AND i.code = n.name
    JOIN registry_pnode AS p ON p.id = i.pnode_id
    JOIN moc_organization AS o ON o.id = i.edc_id AND coalesce(n.edc, '') IN ('', o.slug)
    WHERE i.edc_id = ANY (%(senders)s::bigint[]) OR p.tso_id = ANY (%(senders)s::bigint[])
), one AS (
    SELECT kind, name, edc, max(aggregation_id) AS aggregation_id, max(feeder_id) AS feeder_id, max(transformer_id) AS transformer_id,
        max(td_interface_id) AS td_interface_id, max(aggregator_id) AS aggregator_id, max(edc_id) AS edc_id, max(tso_id) AS tso_id,
        max(most_kw) AS most_kw
    FROM found GROUP BY kind, name, edc HAVING count(*) = 1
), judged AS MATERIALIZED (
    SELECT s.row_number, o.aggregation_id, o.feeder_id, o.transformer_id, o.td_interface_id, o.aggregator_id, o.edc_id, o.tso_id,
        s.event_at, s.published_at, (%(sources)s::text[])[s.source] AS source, (%(qualities)s::text[])[s.quality] AS quality,
        s.p_kw, s.q_kvar, s.up_kw, s.down_kw, s.voltage_pu,
        s.event_at + make_interval(secs => %(stale_intervals)s * coalesce(s.interval_s, %(interval_s)s)) AS stale_at,
        CASE
            WHEN o.kind IS NULL THEN 'TEL-SUBJECT'
            WHEN s.event_at > statement_timestamp() + make_interval(secs => %(ahead_s)s) THEN 'TEL-FUTURE'
            WHEN s.event_at < statement_timestamp() - make_interval(secs => 86400 * %(back_days)s) THEN 'TEL-OLD'
            WHEN s.published_at < s.event_at OR s.published_at > statement_timestamp() + make_interval(secs => %(ahead_s)s) THEN 'TEL-PUBLISHED'
            WHEN abs(s.p_kw) > o.most_kw OR abs(s.q_kvar) > o.most_kw OR s.voltage_pu NOT BETWEEN 0 AND 2 OR s.up_kw < 0 OR s.down_kw < 0
                THEN 'TEL-RANGE'
        END AS code
    FROM pg_temp.staged_subjects AS s
    LEFT JOIN one AS o ON o.kind = s.kind AND o.name = s.name AND o.edc IS NOT DISTINCT FROM s.edc
), good AS (
    SELECT * FROM judged WHERE code IS NULL
), held AS MATERIALIZED (
    SELECT count(pg_advisory_xact_lock(hashtext('operations_subjectstate'), party::integer)) AS parties
    FROM (SELECT DISTINCT coalesce(aggregator_id, -edc_id) AS party FROM good ORDER BY 1) AS parties
), stored AS (
    INSERT INTO operations_subjectreading (
        aggregation_id, feeder_id, transformer_id, td_interface_id, aggregator_id, edc_id, tso_id, event_at, published_at, received_at,
        source, quality, p_kw, q_kvar, up_kw, down_kw, voltage_pu
    )
    SELECT aggregation_id, feeder_id, transformer_id, td_interface_id, aggregator_id, edc_id, tso_id, event_at, published_at,
        statement_timestamp(), source, quality, p_kw, q_kvar, up_kw, down_kw, voltage_pu
    FROM good
    WHERE (SELECT parties FROM held) > 0
    ORDER BY row_number
    ON CONFLICT (aggregation_id, feeder_id, transformer_id, td_interface_id, event_at, published_at) DO NOTHING
    RETURNING 1
), latest AS (
    INSERT INTO operations_subjectstate AS known (
        aggregation_id, feeder_id, transformer_id, td_interface_id, aggregator_id, edc_id, tso_id, event_at, published_at, received_at,
        source, quality, p_kw, q_kvar, up_kw, down_kw, voltage_pu, stale_at
    )
    SELECT DISTINCT ON (aggregation_id, feeder_id, transformer_id, td_interface_id)
        aggregation_id, feeder_id, transformer_id, td_interface_id, aggregator_id, edc_id, tso_id, event_at, published_at,
        statement_timestamp(), source, quality, p_kw, q_kvar, up_kw, down_kw, voltage_pu, stale_at
    FROM good
    WHERE (SELECT parties FROM held) > 0
    ORDER BY aggregation_id, feeder_id, transformer_id, td_interface_id, event_at DESC, published_at DESC, row_number
    ON CONFLICT (aggregation_id, feeder_id, transformer_id, td_interface_id) DO UPDATE SET
        (aggregator_id, edc_id, tso_id, event_at, published_at, received_at, source, quality, p_kw, q_kvar, up_kw, down_kw, voltage_pu,
            stale_at)
        = (excluded.aggregator_id, excluded.edc_id, excluded.tso_id, excluded.event_at, excluded.published_at, excluded.received_at,
            excluded.source, excluded.quality, excluded.p_kw, excluded.q_kvar, excluded.up_kw, excluded.down_kw, excluded.voltage_pu,
            excluded.stale_at)
    WHERE (known.event_at, known.published_at) < (excluded.event_at, excluded.published_at)
)
SELECT row_number, code FROM judged WHERE code IS NOT NULL
UNION ALL SELECT -count(*)::integer, 'good' FROM good
UNION ALL SELECT -count(*)::integer, 'stored' FROM stored
