-- The owners of approved rows become owner records, one per aggregator, utility and account; the last row filed wins.
-- Called by registry.submissions.services.reviewing.merge.
INSERT INTO registry_derowner (aggregator_id, edc_id, {names})
SELECT DISTINCT ON (s.aggregator_id, s.edc_id, o.edc_account_no) s.aggregator_id, s.edc_id, {values}
FROM registry_stagedder AS s
JOIN registry_stagedowner AS o ON o.row_id = s.id
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s
ORDER BY s.aggregator_id, s.edc_id, o.edc_account_no, s.row_number DESC
ON CONFLICT (aggregator_id, edc_id, edc_account_no) DO UPDATE SET {updates}
WHERE ROW({current})::record *<> ROW({proposed})::record
