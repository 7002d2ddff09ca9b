-- The personal columns of the staged rows, into their own table. A column that the file lacks keeps the record's value.
-- Called by registry.submissions.services.staging.stage_file.
INSERT INTO registry_stagedowner (row_id, {names})
SELECT s.id, {casts}
FROM filing AS r
JOIN registry_stagedder AS s ON s.submission_id = %(submission)s AND s.row_number = r.row_number + %(offset)s
LEFT JOIN registry_der AS d ON d.id = s.der_id
LEFT JOIN registry_derowner AS w ON w.id = d.owner_id
