-- While a utility's data key rotates: the owner records that approved rows mean get the account's new index before they are looked up by it.
-- Called by registry.submissions.services.effects.merge.
UPDATE registry_derowner AS w SET account_index = o.account_index
FROM registry_stagedder AS s
JOIN registry_stagedowner AS o ON o.row_id = s.id AND o.earlier_index IS NOT NULL
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s
    AND w.aggregator_id = s.aggregator_id AND w.edc_id = s.edc_id AND w.account_index = o.earlier_index
    AND NOT EXISTS (
        SELECT FROM registry_derowner AS other
        WHERE other.aggregator_id = w.aggregator_id AND other.edc_id = w.edc_id AND other.account_index = o.account_index
    )
