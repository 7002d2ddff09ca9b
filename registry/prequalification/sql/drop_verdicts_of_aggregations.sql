-- Verdicts on aggregations that offer the service no more.
-- Called by registry.prequalification.services.passes.aggregations_judged.
DELETE FROM registry_qualification AS q
WHERE q.aggregation_id IS NOT NULL
  AND (%(keys)s::bigint[] IS NULL OR q.aggregation_id = ANY (%(keys)s::bigint[]))
  AND NOT EXISTS (
      SELECT FROM registry_offer AS o WHERE o.aggregation_id = q.aggregation_id AND o.service_id = q.service_id AND o.market_id IS NOT NULL
  )
