-- Memberships that have begun end on the day.
-- Called by registry.aggregations.services.membership.carry_out.
UPDATE registry_aggregationmember AS m SET valid_during = daterange(lower(m.valid_during), s.ends)
FROM (SELECT DISTINCT ON (der_id, service) * FROM member_rows ORDER BY der_id, service, ends) AS s
WHERE m.aggregation_id = %(aggregation)s AND m.der_id = s.der_id AND m.service_id = s.service
    AND m.valid_during @> s.ends AND lower(m.valid_during) < s.ends
    AND NOT EXISTS (SELECT FROM member_findings AS f WHERE f.row_number = s.row_number)
