-- The rows of a change, and those with findings.
-- Called by registry.aggregations.services.membership.judge.
SELECT (SELECT count(DISTINCT row_number) FROM member_rows), (SELECT count(DISTINCT row_number) FROM member_findings)
