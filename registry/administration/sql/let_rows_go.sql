-- The filed rows of one utility's review, with their owners and findings; how many rows there were.
-- Called by registry.administration.services.retention.enforce.
WITH gone AS (
    DELETE FROM registry_stagedder WHERE submission_id = %(submission)s AND edc_id = %(edc)s RETURNING id
), owners AS (
    DELETE FROM registry_stagedowner AS o USING gone WHERE o.row_id = gone.id
), findings AS (
    DELETE FROM registry_finding AS f USING gone WHERE f.row_id = gone.id
)
SELECT count(*) FROM gone
