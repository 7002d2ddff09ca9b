-- While a utility's data key rotates: the owner records that approved rows mean get the account's new index before they are looked up by it.
-- Called by registry.submissions.services.effects.merge.
-- Which they are is asked first: none in ordinary days, and then no plan can go wrong over what a transaction has just filled.
WITH renamed AS MATERIALIZED (
    SELECT s.aggregator_id, s.edc_id, o.account_index, o.earlier_index
    FROM registry_stagedder AS s
    JOIN registry_stagedowner AS o ON o.row_id = s.id AND o.earlier_index IS NOT NULL
    WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s
)
UPDATE registry_derowner AS w SET account_index = n.account_index
FROM renamed AS n
WHERE w.aggregator_id = n.aggregator_id AND w.edc_id = n.edc_id AND w.account_index = n.earlier_index
    AND NOT EXISTS (
        SELECT FROM registry_derowner AS other
        WHERE other.aggregator_id = n.aggregator_id AND other.edc_id = n.edc_id AND other.account_index = n.account_index
    )
