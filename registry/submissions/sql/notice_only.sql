-- Changed rows that differ from the record only in fields of which the utility merely takes note.
-- Called by registry.submissions.services.classifying.classify.
UPDATE registry_stagedder AS s SET change = 'notice'
FROM registry_der AS d LEFT JOIN registry_derowner AS w ON w.id = d.owner_id
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.change = 'changed' AND d.id = s.der_id
    AND d.edc_id = s.edc_id AND d.service_point_id = s.service_point_id
    AND ROW({filed})::record *= ROW({registered})::record
    AND NOT EXISTS (SELECT FROM registry_stagedowner AS o WHERE o.row_id = s.id AND o.{owner} IS DISTINCT FROM w.{owner})
