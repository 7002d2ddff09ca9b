-- What the present members of some aggregations tell, each counted once: readiness, and what those that are ready could do.
-- Called by operations.telemetry.reports.of_aggregations.
-- Read with the sight of whoever looks.
WITH member AS (
    SELECT DISTINCT aggregation_id, der_id FROM registry_aggregationmember
    WHERE aggregation_id = ANY (%(aggregations)s::bigint[]) AND valid_during @> %(day)s::date
), told AS (
    SELECT m.aggregation_id, s.p_kw, s.down_kw,
        CASE
            WHEN s.soc_percent <= r.percent THEN 0
            WHEN o.kw - s.p_kw < s.up_kw THEN greatest(0, o.kw - s.p_kw)
            ELSE s.up_kw
        END AS up_kw,
        CASE
            WHEN s.id IS NULL THEN 'silent'
            WHEN s.stale_at <= statement_timestamp() THEN 'stale'
            WHEN o.kw = 0 OR s.operating <> ALL (%(delivering)s::text[]) THEN 'unavailable'
            WHEN m.der_id = ANY (%(kept)s::bigint[]) THEN 'kept'
            ELSE 'ready'
        END AS readiness
    FROM member AS m
    LEFT JOIN operations_derstate AS s ON s.der_id = m.der_id
    LEFT JOIN unnest(%(reserved)s::bigint[], %(reserves)s::float8[]) AS r (der_id, percent) ON r.der_id = m.der_id
    LEFT JOIN unnest(%(limited)s::bigint[], %(left)s::float8[]) AS o (der_id, kw) ON o.der_id = m.der_id
)
SELECT aggregation_id, count(*), count(*) FILTER (WHERE readiness = 'ready'), count(*) FILTER (WHERE readiness = 'kept'),
    count(*) FILTER (WHERE readiness = 'unavailable'), count(*) FILTER (WHERE readiness = 'stale'),
    count(*) FILTER (WHERE readiness = 'silent'),
    round(coalesce(sum(p_kw) FILTER (WHERE readiness = 'ready'), 0)::numeric, 3)::float8,
    round(coalesce(sum(up_kw) FILTER (WHERE readiness = 'ready'), 0)::numeric, 3)::float8,
    round(coalesce(sum(down_kw) FILTER (WHERE readiness = 'ready'), 0)::numeric, 3)::float8
FROM told GROUP BY aggregation_id
