-- Approved rows become master records, or change them; what stays equal is not touched.
-- Called by registry.submissions.services.effects.merge. The owner is looked up row by row: whatever the statistics say of a table
-- that this transaction is filling, that is one probe of the unique index. In the order of the key, so that two merges of the same
-- DERs wait for each other, and never in a circle.
INSERT INTO registry_der (
    {facts}, status, registered_on, export_limit_kw, import_limit_kw, limits_by_time, inverter_settings, aggregator_id,
    edc_id, service_point_id, feeder_id, county_id, owner_id
)
SELECT
    {values},
    CASE WHEN s.permission_to_operate_on <= %(today)s THEN 'active' ELSE 'approved' END,
    %(today)s,
    %(export_limit_kw)s::numeric, %(import_limit_kw)s::numeric, %(limits_by_time)s::jsonb, %(inverter_settings)s::jsonb,
    s.aggregator_id, s.edc_id, s.service_point_id, p.feeder_id, p.county_id,
    (
        SELECT w.id FROM registry_derowner AS w
        WHERE w.aggregator_id = s.aggregator_id AND w.edc_id = s.edc_id AND w.account_index = o.account_index
    )
FROM registry_stagedder AS s
JOIN registry_servicepoint AS p ON p.id = s.service_point_id
LEFT JOIN registry_stagedowner AS o ON o.row_id = s.id
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s AND s.change <> 'in_scope'
ORDER BY s.external_id
ON CONFLICT (aggregator_id, external_id) DO UPDATE SET {updates}
WHERE ROW({current})::record *<> ROW({proposed})::record
