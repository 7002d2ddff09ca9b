-- What the owner of a DER keeps for personal use ends when the DER goes to another owner.
-- Called by registry.submissions.services.effects.merge, after the owners and before the DERs.
UPDATE registry_personaluse AS u SET ended_at = now()
FROM registry_stagedder AS s
JOIN registry_der AS d ON d.id = s.der_id
JOIN registry_stagedowner AS o ON o.row_id = s.id
JOIN registry_derowner AS w ON w.aggregator_id = s.aggregator_id AND w.edc_id = s.edc_id AND w.account_index = o.account_index
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s AND s.change <> 'in_scope'
    AND u.der_id = d.id AND u.ended_at IS NULL AND d.owner_id <> w.id
