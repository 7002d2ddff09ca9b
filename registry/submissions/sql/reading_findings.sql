-- Findings of the casts: a text without a value, with the text as given; and rows with too many or too few cells.
-- Called by registry.submissions.services.staging.stage_file.
INSERT INTO registry_finding (submission_id, row_id, row_number, code, severity, "column", value)
SELECT s.submission_id, s.id, s.row_number, problem.code, 'error', problem.name, left(problem.value, 500)
FROM filing AS r
JOIN registry_stagedder AS s ON s.submission_id = %(submission)s AND s.row_number = r.row_number + %(offset)s
CROSS JOIN LATERAL (VALUES {problems}) AS problem (broken, code, name, value)
WHERE r.row_number > %(before)s AND r.row_number <= %(last)s AND ({any_problem}) AND problem.broken
