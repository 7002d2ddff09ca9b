-- Cast raw texts once into typed staged rows, resolving utility, service point and the record they would change, and say what changes.
-- Called by registry.submissions.services.staging.stage_file for each part of the file. A column that the file lacks keeps the record's value.
-- A utility's rows stand together: utilities decide at the same time, and would wait for each other at every page. Beside the rows their
-- sealed owners, with the owners' keys; an owner sealed for another party than the row's is not taken.
WITH staged AS (
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
    FROM (SELECT r.row_number, {casts} FROM filing AS r WHERE r.row_number > %(before)s AND r.row_number <= %(last)s) AS t
    LEFT JOIN registry_utilityprofile AS u ON u.eia_id = t.utility_id_eia
    LEFT JOIN registry_servicepoint AS p ON p.edc_id = u.edc_id AND p.usage_point_id = t.usage_point_id
    LEFT JOIN LATERAL (
        SELECT * FROM registry_der AS known WHERE known.aggregator_id = %(aggregator)s AND known.external_id = t.external_id
        OFFSET 0  -- one probe of the unique index for each row: no join of a part with all that are registered
    ) AS d ON TRUE
    ORDER BY u.edc_id
    RETURNING id, row_number - %(offset)s AS filed, coalesce(edc_id, aggregator_id) AS holder
),
keys AS (
    INSERT INTO moc_subjectkey (id, data_key_id, wrapped)
    SELECT r.subject, r.data_key_id, r.wrapped FROM filing AS r
    WHERE r.subject IS NOT NULL AND r.row_number > %(before)s AND r.row_number <= %(last)s
)
INSERT INTO registry_stagedowner (
    row_id, subject, sealed, filled, data_key_id, account_index, digest, flaws, earlier_index
)
SELECT
    s.id, r.subject, coalesce(r.sealed, ''), r.filled, r.data_key_id, r.account_index, r.digest, r.flaws, r.earlier_index
FROM staged AS s
JOIN filing AS r ON r.row_number = s.filed
JOIN moc_datakey AS k ON k.id = r.data_key_id AND k.organization_id = s.holder
WHERE r.row_number > %(before)s AND r.row_number <= %(last)s
ORDER BY s.id
