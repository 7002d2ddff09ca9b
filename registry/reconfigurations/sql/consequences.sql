-- What a reconfiguration does to each aggregation with members at the chosen service points: nodes and capacity by service, before and after.
-- Called by registry.reconfigurations.services.acts.consequences.
WITH touched AS (
    SELECT DISTINCT m.aggregation_id FROM reconfigured AS r
    JOIN registry_der AS d ON d.service_point_id = r.id
    JOIN registry_aggregationmember AS m ON m.der_id = d.id AND m.valid_during @> %(today)s
)
SELECT
    m.aggregation_id, m.service_id,
    count(*) FILTER (WHERE r.id IS NOT NULL) AS moved,
    count(*) FILTER (WHERE r.id IS NOT NULL AND t.pnode_id IS DISTINCT FROM %(pnode)s) AS new_node,
    array_agg(DISTINCT t.pnode_id) FILTER (WHERE t.pnode_id IS NOT NULL) AS before,
    array_agg(DISTINCT coalesce(CASE WHEN r.id IS NULL THEN t.pnode_id ELSE %(pnode)s END, 0)) AS after,
    sum(d.nameplate_ac_kw * m.share_percent / 100) AS capacity_kw
FROM registry_aggregationmember AS m
JOIN touched ON touched.aggregation_id = m.aggregation_id
JOIN registry_der AS d ON d.id = m.der_id
LEFT JOIN reconfigured AS r ON r.id = d.service_point_id
LEFT JOIN registry_feeder AS f ON f.id = d.feeder_id
LEFT JOIN registry_substation AS b ON b.id = f.substation_id
LEFT JOIN registry_tdinterface AS t ON t.id = b.td_interface_id
WHERE m.valid_during @> %(today)s
GROUP BY m.aggregation_id, m.service_id
ORDER BY m.aggregation_id, m.service_id
