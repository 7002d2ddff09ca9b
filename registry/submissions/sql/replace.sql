-- A corrected file replaces the draft's rows with the same ids, their findings and their owners.
-- Called by registry.submissions.services.staging.stage_file.
WITH gone AS (
    DELETE FROM registry_stagedder AS s USING filing AS r
    WHERE s.submission_id = %(submission)s AND s.row_number <= %(offset)s AND s.external_id = r.external_id AND s.external_id <> ''
    RETURNING s.id
), owners AS (
    DELETE FROM registry_stagedowner AS o USING gone WHERE o.row_id = gone.id
)
DELETE FROM registry_finding AS f USING gone WHERE f.row_id = gone.id
