-- Cast the texts once, find the DERs that they name (by DER id or by the aggregator's own), and make one row for each service.
-- Called by registry.aggregations.services.membership._type.
INSERT INTO member_rows
SELECT
    r.row_number, r.shape_problem, r.der, r.service, r.share_percent, r."from", r.until,
    d.id, d.edc_id, d.status = 'decommissioned', wanted.service,
    CASE WHEN r.share_percent IS NULL THEN %(share)s
         WHEN pg_input_is_valid(r.share_percent, 'numeric(6,3)') THEN r.share_percent::numeric(6,3) END,
    CASE WHEN r."from" IS NULL THEN %(starts)s::date WHEN pg_input_is_valid(r."from", 'date') THEN r."from"::date END,
    CASE WHEN r.until IS NULL THEN %(ends)s::date WHEN pg_input_is_valid(r.until, 'date') THEN r.until::date END
FROM member_filing AS r
LEFT JOIN LATERAL (
    SELECT own.id, own.edc_id, own.status FROM registry_der AS own
    WHERE own.aggregator_id = %(aggregator)s AND own.external_id = r.der
    UNION ALL
    SELECT named.id, named.edc_id, named.status FROM registry_der AS named
    WHERE named.aggregator_id = %(aggregator)s AND pg_input_is_valid(r.der, 'uuid')
        AND named.uuid = CASE WHEN pg_input_is_valid(r.der, 'uuid') THEN r.der::uuid END
    LIMIT 1
) AS d ON true
CROSS JOIN LATERAL unnest(CASE WHEN r.service IS NULL THEN %(services)s::text[] ELSE ARRAY[r.service] END) AS wanted (service)
