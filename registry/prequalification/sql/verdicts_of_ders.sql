-- The verdict on each DER for each service that it can sell: by the rules that it breaks, and by an override; unchanged ones stay as they are.
-- Called by registry.prequalification.services.passes.ders_judged.
INSERT INTO registry_qualification AS q (der_id, aggregator_id, edc_id, market_id, service_id, by_rules, eligible, since)
SELECT d.id, d.aggregator_id, d.edc_id, b.market_id, b.service, r.by_rules, coalesce(o.eligible, r.by_rules), %(now)s
FROM registry_der AS d
JOIN unnest(%(edcs)s::bigint[], %(buyers)s::bigint[], %(services)s::text[]) AS b (edc_id, market_id, service) ON b.edc_id = d.edc_id
JOIN registry_gridservice AS g ON g.code = b.service
LEFT JOIN (
    SELECT der_id, bool_or(services IS NULL) AS of_all, array_agg(DISTINCT service) AS barred
    FROM registry_brokenrule LEFT JOIN LATERAL unnest(services) AS service ON true
    WHERE der_id IS NOT NULL AND (%(keys)s::bigint[] IS NULL OR der_id = ANY (%(keys)s::bigint[]))
    GROUP BY der_id
) AS w ON w.der_id = d.id
LEFT JOIN registry_qualificationoverride AS o ON o.der_id = d.id AND o.service_id = b.service AND o.ended_at IS NULL
CROSS JOIN LATERAL (SELECT NOT (coalesce(w.of_all, false) OR coalesce(b.service = ANY (w.barred), false)) AS by_rules) AS r
WHERE d.status <> 'decommissioned'
  AND (%(keys)s::bigint[] IS NULL OR d.id = ANY (%(keys)s::bigint[]))
ON CONFLICT (der_id, service_id) DO UPDATE
SET aggregator_id = excluded.aggregator_id, edc_id = excluded.edc_id, market_id = excluded.market_id, by_rules = excluded.by_rules,
    eligible = excluded.eligible, since = CASE WHEN q.eligible = excluded.eligible THEN q.since ELSE excluded.since END
WHERE (q.aggregator_id, q.edc_id, q.market_id, q.by_rules, q.eligible)
    IS DISTINCT FROM (excluded.aggregator_id, excluded.edc_id, excluded.market_id, excluded.by_rules, excluded.eligible)
