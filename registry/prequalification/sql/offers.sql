-- What each aggregation brings to each service that it seeks, of its members on a day: capacity, nodes, members that do not belong or qualify.
-- Called by registry.prequalification.services.passes.aggregations_judged.
INSERT INTO registry_offer (
    aggregation_id, service_id, aggregator_id, edc_id, market_id,
    der_count, capacity_kw, injection_kw, node_count, factor_count, foreign_count, barred_count
)
SELECT
    a.id, g.code, a.aggregator_id,
    coalesce(a.edc_id, (SELECT min(u.edc_id) FROM registry_aggregationutility AS u WHERE u.aggregation_id = a.id HAVING count(*) = 1)),
    CASE g.level WHEN 'wholesale' THEN a.tso_id ELSE a.edc_id END,
    coalesce(m.der_count, 0), coalesce(m.capacity_kw, 0), coalesce(m.injection_kw, 0), coalesce(m.node_count, 0),
    (SELECT count(*) FROM registry_aggregationpnode AS p WHERE p.aggregation_id = a.id AND p.valid_during @> %(today)s),
    coalesce(CASE g.level WHEN 'wholesale' THEN m.other_market ELSE m.other_utility END, 0), coalesce(m.barred_count, 0)
FROM registry_aggregation AS a
CROSS JOIN LATERAL (SELECT DISTINCT unnest(a.services) AS service) AS s
JOIN registry_gridservice AS g ON g.code = s.service
LEFT JOIN (
    SELECT
        m.aggregation_id, m.service_id, count(*) AS der_count,
        sum(d.nameplate_ac_kw * m.share_percent / 100) AS capacity_kw,
        sum(d.approved_export_kw * m.share_percent / 100) AS injection_kw,
        count(DISTINCT t.pnode_id) AS node_count,
        count(*) FILTER (WHERE u.tso_id <> x.tso_id) AS other_market,
        count(*) FILTER (WHERE d.edc_id <> x.edc_id) AS other_utility,
        count(*) FILTER (WHERE NOT q.eligible) AS barred_count
    FROM registry_aggregationmember AS m
    JOIN registry_aggregation AS x ON x.id = m.aggregation_id
    JOIN registry_der AS d ON d.id = m.der_id
    LEFT JOIN registry_feeder AS f ON f.id = d.feeder_id
    LEFT JOIN registry_substation AS b ON b.id = f.substation_id
    LEFT JOIN registry_tdinterface AS t ON t.id = b.td_interface_id
    LEFT JOIN registry_utilityprofile AS u ON u.edc_id = d.edc_id
    LEFT JOIN registry_qualification AS q ON q.der_id = m.der_id AND q.service_id = m.service_id
    WHERE m.valid_during @> %(today)s
      AND (%(keys)s::bigint[] IS NULL OR m.aggregation_id = ANY (%(keys)s::bigint[]))
    GROUP BY m.aggregation_id, m.service_id
) AS m ON m.aggregation_id = a.id AND m.service_id = g.code
WHERE a.status <> 'retired'
  AND (%(keys)s::bigint[] IS NULL OR a.id = ANY (%(keys)s::bigint[]))
