-- What is wrong with which row of a drop, with the text as given.
-- Called by registry.aggregations.services.membership.find.
CREATE TEMPORARY TABLE member_findings ON COMMIT DROP AS
SELECT DISTINCT s.row_number, problem.code, problem.name, coalesce(left(problem.value, 200), '') AS value
FROM member_rows AS s
CROSS JOIN LATERAL (VALUES
    (s.shape_problem = 'too_many_cells', 'MEMBER-TOO-MANY-CELLS', '', ''),
    (s.shape_problem = 'too_few_cells', 'MEMBER-TOO-FEW-CELLS', '', ''),
    (s.der_id IS NULL, 'MEMBER-DER', 'der', s.given_der),
    (s.given_until IS NOT NULL AND s.ends IS NULL, 'MEMBER-DAY', 'until', s.given_until),
    (s.ends < %(not_before)s::date, 'MEMBER-PAST', 'until', s.given_until),
    (s.der_id IS NOT NULL AND s.ends IS NOT NULL AND NOT EXISTS (
        SELECT FROM registry_aggregationmember AS m
        WHERE m.der_id = s.der_id AND m.aggregation_id = %(aggregation)s AND (s.given_service IS NULL OR m.service_id = s.service)
            AND m.valid_during && daterange(s.ends, NULL)
    ), 'MEMBER-ABSENT', 'der', s.given_der)
) AS problem (broken, code, name, value)
WHERE problem.broken
