-- DERs at the chosen service points, by aggregator and by the node that they leave.
-- Called by registry.reconfigurations.services.acts.consequences.
SELECT d.aggregator_id, t.pnode_id, count(*)
FROM reconfigured AS r
JOIN registry_der AS d ON d.service_point_id = r.id AND d.status <> 'decommissioned'
LEFT JOIN registry_feeder AS f ON f.id = d.feeder_id
LEFT JOIN registry_substation AS b ON b.id = f.substation_id
LEFT JOIN registry_tdinterface AS t ON t.id = b.td_interface_id
GROUP BY d.aggregator_id, t.pnode_id
