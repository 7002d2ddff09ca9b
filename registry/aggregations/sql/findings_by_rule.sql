-- How many findings of each rule, and of how many rows.
-- Called by registry.aggregations.services.membership.judge.
SELECT code, count(*) FROM member_findings GROUP BY code ORDER BY count(*) DESC, code
