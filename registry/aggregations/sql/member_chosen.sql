-- The chosen DERs as typed rows, one for each service.
-- Called by registry.aggregations.services.membership.choose.
INSERT INTO member_rows
SELECT
    row_number() OVER (ORDER BY d.id), NULL, d.external_id, NULL, NULL, NULL, NULL,
    d.id, d.edc_id, d.status = 'decommissioned', wanted.service, %(share)s, %(starts)s::date, %(ends)s::date
FROM registry_der AS d
CROSS JOIN unnest(%(services)s::text[]) AS wanted (service)
WHERE d.id IN (SELECT c.der_id FROM member_choice AS c) AND d.aggregator_id = %(aggregator)s
