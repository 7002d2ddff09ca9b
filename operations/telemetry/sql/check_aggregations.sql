-- What aggregations owed and delivered of themselves on a day, and how far they lay from the sum of their members.
-- Called by operations.telemetry.services.checking.check.
-- Compared are means over a period (a rule) of the aggregation and of all members, each with its share; nothing where a member is silent.
WITH owing AS (
    SELECT a.id, a.aggregator_id, a.edc_id, a.tso_id, o.cadence_s
    FROM unnest(%(aggregations)s::bigint[], %(cadences)s::float8[]) AS o (id, cadence_s)
    JOIN registry_aggregation AS a USING (id)
), latest AS (
    SELECT DISTINCT ON (r.aggregation_id, r.event_at) r.*
    FROM owing AS o
    JOIN operations_subjectreading AS r ON r.aggregation_id = o.id AND r.feeder_id IS NULL AND r.transformer_id IS NULL
        AND r.td_interface_id IS NULL AND r.event_at >= %(start)s AND r.event_at < %(end)s
    ORDER BY r.aggregation_id, r.event_at, r.published_at DESC
), slot AS (
    SELECT r.aggregation_id, min(r.received_at - r.event_at) AS delay
    FROM operations_subjectreading AS r
    JOIN owing AS o ON o.id = r.aggregation_id
    WHERE r.event_at >= %(start)s AND r.event_at < %(end)s
    GROUP BY r.aggregation_id, floor(extract(epoch FROM r.event_at - %(start)s) / o.cadence_s)
), told AS (
    SELECT aggregation_id AS id, count(*) AS delivered, count(*) FILTER (WHERE delay > make_interval(secs => %(late_s)s)) AS late
    FROM slot GROUP BY aggregation_id
), member AS (
    SELECT m.aggregation_id, m.der_id, max(m.share_percent)::float8 / 100 AS share
    FROM registry_aggregationmember AS m
    JOIN registry_der AS d ON d.id = m.der_id AND d.status = 'active'
    WHERE m.aggregation_id IN (SELECT DISTINCT aggregation_id FROM latest) AND m.valid_during @> %(day)s::date
    GROUP BY m.aggregation_id, m.der_id
), mean AS (
    SELECT r.der_id, floor(extract(epoch FROM r.event_at - %(start)s) / %(sum_interval_s)s) AS period, avg(r.p_kw) AS p_kw
    FROM (
        SELECT DISTINCT ON (r.der_id, r.event_at) r.der_id, r.event_at, r.p_kw
        FROM (SELECT DISTINCT der_id FROM member) AS m
        JOIN operations_reading AS r ON r.der_id = m.der_id AND r.event_at >= %(start)s AND r.event_at < %(end)s
        ORDER BY r.der_id, r.event_at, r.published_at DESC
    ) AS r
    GROUP BY r.der_id, period
), summed AS (
    SELECT m.aggregation_id, mean.period, sum(mean.p_kw * m.share) AS p_kw, count(*) AS heard
    FROM member AS m JOIN mean USING (der_id)
    GROUP BY m.aggregation_id, mean.period
), said AS (
    SELECT aggregation_id, floor(extract(epoch FROM event_at - %(start)s) / %(sum_interval_s)s) AS period, avg(p_kw) AS p_kw
    FROM latest GROUP BY aggregation_id, period
), compared AS (
    SELECT s.aggregation_id AS id, count(*) AS compared, count(*) FILTER (WHERE abs(difference) > most) AS differing,
        (array_agg(difference ORDER BY abs(difference) DESC))[1] AS most_difference_kw
    FROM said AS s
    JOIN summed AS m ON m.aggregation_id = s.aggregation_id AND m.period = s.period
        AND m.heard = (SELECT count(*) FROM member WHERE member.aggregation_id = s.aggregation_id)
    CROSS JOIN LATERAL (
        SELECT s.p_kw - m.p_kw AS difference, %(sum_tolerance_percent)s / 100.0 * greatest(abs(s.p_kw), abs(m.p_kw), 1) AS most
    ) AS apart
    GROUP BY s.aggregation_id
)
INSERT INTO operations_telemetrycheck (
    day, aggregation_id, aggregator_id, edc_id, tso_id, cadence_s, owed, delivered, late, incomplete, compared, differing,
    most_difference_kw, checked_at
)
SELECT %(day)s, o.id, o.aggregator_id, o.edc_id, o.tso_id, o.cadence_s, owed.intervals, least(coalesce(t.delivered, 0), owed.intervals),
    coalesce(t.late, 0), 0, coalesce(c.compared, 0), coalesce(c.differing, 0), c.most_difference_kw, statement_timestamp()
FROM owing AS o
LEFT JOIN told AS t USING (id)
LEFT JOIN compared AS c USING (id)
CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM %(end)s - %(start)s) / o.cadence_s)::integer AS intervals) AS owed
WHERE owed.intervals > 0
