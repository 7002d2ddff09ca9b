-- The verdict on each aggregation for each service that it offers: by its rules, and by an override; unchanged ones stay as they are.
-- Called by registry.prequalification.services.passes.aggregations_judged.
INSERT INTO registry_qualification AS q (aggregation_id, aggregator_id, edc_id, market_id, service_id, by_rules, eligible, since)
SELECT o.aggregation_id, o.aggregator_id, o.edc_id, o.market_id, o.service_id, r.by_rules, coalesce(v.eligible, r.by_rules), %(now)s
FROM registry_offer AS o
LEFT JOIN registry_qualificationoverride AS v
    ON v.aggregation_id = o.aggregation_id AND v.service_id = o.service_id AND v.ended_at IS NULL
CROSS JOIN LATERAL (
    SELECT NOT EXISTS (
        SELECT FROM registry_brokenrule AS w
        WHERE w.aggregation_id = o.aggregation_id AND (w.services IS NULL OR o.service_id = ANY (w.services))
    ) AS by_rules
) AS r
WHERE o.market_id IS NOT NULL
  AND (%(keys)s::bigint[] IS NULL OR o.aggregation_id = ANY (%(keys)s::bigint[]))
ON CONFLICT (aggregation_id, service_id) DO UPDATE
SET aggregator_id = excluded.aggregator_id, edc_id = excluded.edc_id, market_id = excluded.market_id, by_rules = excluded.by_rules,
    eligible = excluded.eligible, since = CASE WHEN q.eligible = excluded.eligible THEN q.since ELSE excluded.since END
WHERE (q.aggregator_id, q.edc_id, q.market_id, q.by_rules, q.eligible)
    IS DISTINCT FROM (excluded.aggregator_id, excluded.edc_id, excluded.market_id, excluded.by_rules, excluded.eligible)
