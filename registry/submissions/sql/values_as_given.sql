-- Findings of the rules show the file's own text, not the typed value.
-- Called by registry.submissions.services.staging.stage_file.
UPDATE registry_finding AS f SET value = coalesce(left(CASE f."column" {texts} END, 500), '')
FROM filing AS r
WHERE f.submission_id = %(submission)s AND f.row_number = r.row_number + %(offset)s
    AND f."column" = ANY(%(columns)s) AND f.code <> ALL(%(reading)s)
