-- The owners of approved rows become owner records, one per aggregator, utility and account; the last row filed wins.
-- Called by registry.submissions.services.effects.merge.
INSERT INTO registry_derowner (aggregator_id, edc_id, {names})
SELECT DISTINCT ON (s.aggregator_id, s.edc_id, o.account_index) s.aggregator_id, s.edc_id, {values}
FROM registry_stagedder AS s
JOIN registry_stagedowner AS o ON o.row_id = s.id AND o.account_index IS NOT NULL
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s
ORDER BY s.aggregator_id, s.edc_id, o.account_index, s.row_number DESC
ON CONFLICT (aggregator_id, edc_id, account_index) DO UPDATE SET {updates}
WHERE registry_derowner.digest IS DISTINCT FROM EXCLUDED.digest
