-- Cast raw texts once into typed staged rows, resolving utility, service point and the record they would change, and say what changes.
-- Called by registry.submissions.services.staging.stage_file. A column that the file lacks keeps the record's value.
INSERT INTO registry_stagedder (
    submission_id, aggregator_id, row_number, status, change, edc_id, service_point_id, der_id, {names}
)
SELECT
    %(submission)s, %(aggregator)s, t.row_number + %(offset)s, 'pending',
    CASE
        WHEN d.id IS NULL THEN 'new'
        WHEN p.id IS NOT DISTINCT FROM d.service_point_id AND ROW({present_typed})::record *= ROW({present_record})::record THEN 'unchanged'
        ELSE 'changed'
    END,
    u.edc_id, p.id, d.id, {values}
FROM (SELECT r.row_number, {casts} FROM filing AS r) AS t
LEFT JOIN registry_utilityprofile AS u ON u.eia_id = t.utility_id_eia
LEFT JOIN registry_servicepoint AS p ON p.edc_id = u.edc_id AND p.usage_point_id = t.usage_point_id
LEFT JOIN registry_der AS d ON d.aggregator_id = %(aggregator)s AND d.external_id = t.external_id
