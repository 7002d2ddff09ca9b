-- Verdicts on DERs that are no longer to be given: a DER has left the registry, or nobody buys the service from its utility's customers.
-- Called by registry.prequalification.services.passes.ders_judged.
DELETE FROM registry_qualification AS q
USING registry_der AS d
WHERE q.der_id = d.id
  AND (%(keys)s::bigint[] IS NULL OR d.id = ANY (%(keys)s::bigint[]))
  AND (
      d.status = 'decommissioned'
      OR NOT EXISTS (
          SELECT FROM unnest(%(edcs)s::bigint[], %(buyers)s::bigint[], %(services)s::text[]) AS b (edc_id, market_id, service)
          WHERE b.edc_id = d.edc_id AND b.market_id = q.market_id AND b.service = q.service_id
      )
  )
