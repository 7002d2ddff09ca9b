-- What is wrong with which row of an addition, with the text as given.
-- Called by registry.aggregations.services.membership.find.
CREATE TEMPORARY TABLE member_findings ON COMMIT DROP AS
SELECT DISTINCT s.row_number, problem.code, problem.name, coalesce(left(problem.value, 200), '') AS value
FROM (
    SELECT *, row_number() OVER (PARTITION BY der_id, service ORDER BY row_number) AS nth,
        CASE WHEN ends IS NULL OR starts < ends THEN daterange(starts, ends) END AS period
    FROM member_rows
) AS s
LEFT JOIN registry_gridservice AS g ON g.code = s.service
CROSS JOIN LATERAL (VALUES
    (s.shape_problem = 'too_many_cells', 'MEMBER-TOO-MANY-CELLS', '', ''),
    (s.shape_problem = 'too_few_cells', 'MEMBER-TOO-FEW-CELLS', '', ''),
    (s.der_id IS NULL, 'MEMBER-DER', 'der', s.given_der),
    (s.gone, 'MEMBER-GONE', 'der', s.given_der),
    (s.service <> ALL (%(services)s::text[]), 'MEMBER-SERVICE', 'service', s.service),
    (s.share IS NULL OR s.share <= 0 OR s.share > 100, 'MEMBER-SHARE', 'share_percent', s.given_share),
    (s.given_from IS NOT NULL AND s.starts IS NULL, 'MEMBER-DAY', 'from', s.given_from),
    (s.given_until IS NOT NULL AND s.ends IS NULL, 'MEMBER-DAY', 'until', s.given_until),
    (s.ends <= s.starts, 'MEMBER-PERIOD', 'until', s.given_until),
    (s.starts < %(not_before)s::date, 'MEMBER-PAST', 'from', s.given_from),
    (s.der_id IS NOT NULL AND s.nth > 1, 'MEMBER-DUPLICATE', 'der', s.given_der),
    (EXISTS (SELECT FROM registry_aggregationmember AS m WHERE m.der_id = s.der_id AND m.aggregation_id = %(aggregation)s
        AND m.service_id = s.service AND m.valid_during && s.period), 'MEMBER-ALREADY', 'der', s.given_der),
    (g.level = 'wholesale' AND EXISTS (SELECT FROM registry_aggregationmember AS m WHERE m.der_id = s.der_id
        AND m.aggregation_id <> %(aggregation)s AND m.service_id = s.service AND m.wholesale AND m.valid_during && s.period),
        'MEMBER-TAKEN', 'der', s.given_der),
    (s.der_id IN (SELECT d.id FROM registry_consent AS c JOIN registry_der AS d ON d.owner_id = c.owner_id
        WHERE c.aggregator_id = %(aggregator)s AND 'market' = ANY (c.scopes) GROUP BY d.id
        HAVING NOT bool_or(c.status = 'in_force' AND (c.expires_on IS NULL OR c.expires_on >= %(today)s::date))),
        'MEMBER-CONSENT', 'der', s.given_der)
) AS problem (broken, code, name, value)
WHERE problem.broken
