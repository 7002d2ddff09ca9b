-- The personal columns of the staged rows, into their own table.
-- Called by registry.submissions.services.staging.stage_file.
INSERT INTO registry_stagedowner (row_id, {names})
SELECT s.id, {casts}
FROM filing AS r
JOIN registry_stagedder AS s ON s.submission_id = %(submission)s AND s.row_number = r.row_number + %(offset)s
