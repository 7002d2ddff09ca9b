-- The rows of a change, and those with findings.
-- Called by registry.aggregations.services.membership._found.
SELECT (SELECT count(DISTINCT row_number) FROM member_rows), (SELECT count(DISTINCT row_number) FROM member_findings)
