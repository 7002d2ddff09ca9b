-- Another owner or contact alone is a change of the record too: digests under the utility's key tell, without opening anything.
-- Called by registry.submissions.services.staging.stage_file.
UPDATE registry_stagedder AS s SET change = 'changed'
FROM registry_stagedowner AS o, registry_der AS d LEFT JOIN registry_derowner AS w ON w.id = d.owner_id
WHERE s.submission_id = %(submission)s AND s.row_number > %(offset)s AND s.change = 'unchanged'
    AND o.row_id = s.id AND d.id = s.der_id AND o.digest IS DISTINCT FROM w.digest
