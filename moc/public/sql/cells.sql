-- What each cell of a public table holds, or what changed in it since a moment: customers, all and most W, customers in no cell twice.
-- Called by moc.public.services.publish.
WITH past AS (
    SELECT DISTINCT ON (version.id) version.*
    FROM registry_historicalder AS version
    WHERE version.history_date <= %(moment)s::timestamptz
    ORDER BY version.id, version.history_date DESC, version.history_id DESC
), held AS (
    SELECT {row} AS r, {col} AS c, der.service_point_id AS customer, der.nameplate_ac_kw AS kw
    FROM registry_der AS der WHERE der.status <> 'decommissioned' AND {row} IS NOT NULL
    UNION ALL
    SELECT {row}, {col}, der.service_point_id, -der.nameplate_ac_kw
    FROM past AS der WHERE der.history_type <> '-' AND der.status <> 'decommissioned' AND {row} IS NOT NULL
), base AS (
    SELECT customer, count(*) AS cells
    FROM (SELECT customer, sum(kw) AS kw FROM held GROUP BY r, c, customer) AS each WHERE kw <> 0 GROUP BY customer
), customers AS (
    SELECT r, c, customer, abs(sum(kw)) AS kw
    FROM held GROUP BY GROUPING SETS ((r, c, customer), (r, customer), (c, customer), (customer))
)
SELECT
    coalesce(r::text, ''), coalesce(c::text, ''), count(*), (1000 * sum(kw))::bigint, (1000 * max(kw))::bigint,
    floor(sum(
        CASE WHEN c IS NULL THEN 1.0 ELSE 1.0 / base.cells END * CASE WHEN r IS NULL OR c IS NULL THEN 0.5 ELSE 1 END
    ))::int
FROM customers JOIN base USING (customer) WHERE kw <> 0 GROUP BY r, c
