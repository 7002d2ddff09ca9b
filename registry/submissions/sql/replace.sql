-- A corrected file replaces the draft's rows with the same ids.
-- Called by registry.submissions.services.staging.stage_file.
DELETE FROM registry_stagedder AS s USING filing AS r
WHERE s.submission_id = %(submission)s AND s.row_number <= %(offset)s AND s.external_id = r.external_id AND s.external_id <> ''
