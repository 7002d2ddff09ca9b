-- The first findings, and in how many of how many rows something is wrong.
-- Called by registry.aggregations.services.membership.judge.
SELECT row_number, name, code, value FROM member_findings ORDER BY row_number, code, name LIMIT %(most)s
