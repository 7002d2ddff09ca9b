-- An aggregation's members of a day by technology, pricing node and utility: DERs, kW and kWh of their largest shares.
-- Called by registry.aggregations.reports.composition.
SELECT
    d.der_type, i.pnode_id, m.edc_id, count(*),
    sum(d.nameplate_ac_kw * m.share / 100), sum(coalesce(d.energy_capacity_kwh, 0) * m.share / 100)
FROM (
    SELECT der_id, edc_id, max(share_percent) AS share
    FROM registry_aggregationmember
    WHERE aggregation_id = %(aggregation)s AND valid_during @> %(day)s::date
        AND (%(whole)s OR edc_id = ANY (%(utilities)s::bigint[]))
    GROUP BY der_id, edc_id
) AS m
JOIN registry_der AS d ON d.id = m.der_id
LEFT JOIN registry_feeder AS f ON f.id = d.feeder_id
LEFT JOIN registry_substation AS b ON b.id = f.substation_id
LEFT JOIN registry_tdinterface AS i ON i.id = b.td_interface_id
GROUP BY d.der_type, i.pnode_id, m.edc_id
