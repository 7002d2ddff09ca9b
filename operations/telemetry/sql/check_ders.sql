-- What the members of aggregations that owe telemetry owed and delivered on a day, each at its registered interval.
-- Called by operations.telemetry.services.checking.check.
-- One reading an interval counts. An interval is late where the first of its readings came late, incomplete where none has all that is owed.
WITH member AS (
    SELECT d.id AS der_id, d.aggregator_id, d.edc_id, max(a.tso_id) AS tso_id, coalesce(d.telemetry_interval_s, %(interval_s)s) AS cadence_s,
        (%(points)s::jsonb -> '*') || coalesce(%(points)s::jsonb -> d.der_type, '[]') AS points
    FROM registry_aggregationmember AS m
    JOIN registry_aggregation AS a ON a.id = m.aggregation_id
    JOIN registry_der AS d ON d.id = m.der_id
    WHERE m.aggregation_id = ANY (%(aggregations)s::bigint[]) AND m.valid_during @> %(day)s::date AND d.status = 'active'
    GROUP BY d.id
), slot AS (
    SELECT r.der_id, min(r.received_at - r.event_at) AS delay, bool_or(
            NOT (m.points ? 'soc_percent' AND r.soc_percent IS NULL) AND NOT (m.points ? 'q_kvar' AND r.q_kvar IS NULL)
            AND NOT (m.points ? 'up_kw' AND r.up_kw IS NULL) AND NOT (m.points ? 'down_kw' AND r.down_kw IS NULL)
        ) AS complete
    FROM member AS m
    JOIN operations_reading AS r ON r.der_id = m.der_id AND r.event_at >= %(start)s AND r.event_at < %(end)s
    GROUP BY r.der_id, floor(extract(epoch FROM r.event_at - %(start)s) / m.cadence_s)
), told AS (
    SELECT der_id, count(*) AS delivered, count(*) FILTER (WHERE delay > make_interval(secs => %(late_s)s)) AS late,
        count(*) FILTER (WHERE NOT complete) AS incomplete
    FROM slot GROUP BY der_id
)
INSERT INTO operations_telemetrycheck (
    day, der_id, aggregator_id, edc_id, tso_id, cadence_s, owed, delivered, late, incomplete, compared, differing, checked_at
)
SELECT %(day)s, m.der_id, m.aggregator_id, m.edc_id, m.tso_id, m.cadence_s, owed.intervals, least(coalesce(t.delivered, 0), owed.intervals),
    coalesce(t.late, 0), coalesce(t.incomplete, 0), 0, 0, statement_timestamp()
FROM member AS m
LEFT JOIN told AS t USING (der_id)
CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM %(end)s - %(start)s) / m.cadence_s)::integer AS intervals) AS owed
WHERE owed.intervals > 0
