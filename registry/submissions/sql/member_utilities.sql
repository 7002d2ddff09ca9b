-- The utilities that review who joins see the aggregation.
-- Called by registry.submissions.services.members.handed_in.
INSERT INTO registry_aggregationutility (aggregation_id, aggregator_id, edc_id)
SELECT DISTINCT %(aggregation)s::bigint, m.aggregator_id, m.edc_id FROM registry_stagedmember AS m WHERE m.submission_id = %(submission)s
ON CONFLICT (aggregation_id, edc_id) DO NOTHING
