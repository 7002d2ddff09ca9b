-- The utilities to whose grid members of a filed aggregation are connected see it.
-- Called by registry.aggregations.services.building.move.
INSERT INTO registry_aggregationutility (aggregation_id, aggregator_id, edc_id)
SELECT DISTINCT %(aggregation)s::bigint, %(aggregator)s::bigint, m.edc_id
FROM registry_aggregationmember AS m WHERE m.aggregation_id = %(aggregation)s
ON CONFLICT (aggregation_id, edc_id) DO NOTHING
