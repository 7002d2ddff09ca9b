-- Memberships that would only have begun on the day or later do not.
-- Called by registry.aggregations.services.membership.carry_out.
DELETE FROM registry_aggregationmember AS m
USING member_rows AS s
WHERE m.aggregation_id = %(aggregation)s AND m.der_id = s.der_id AND m.service_id = s.service AND lower(m.valid_during) >= s.ends
    AND NOT EXISTS (SELECT FROM member_findings AS f WHERE f.row_number = s.row_number)
