-- What the owner of a DER keeps for personal use ends when the DER goes to another owner.
-- Called by registry.submissions.services.effects.merge, after the owners and before the DERs. Both owners are looked up row by row:
-- whatever the statistics say of tables that this transaction is filling, that is one probe of a unique index each.
UPDATE registry_personaluse AS u SET ended_at = now()
FROM registry_stagedder AS s
JOIN registry_stagedowner AS o ON o.row_id = s.id
WHERE s.submission_id = %(submission)s AND s.edc_id = %(edc)s AND s.decision_id = %(decision)s
    AND s.change <> 'new' AND s.change <> 'in_scope' AND u.der_id = s.der_id AND u.ended_at IS NULL
    AND (SELECT d.owner_id FROM registry_der AS d WHERE d.id = s.der_id) <> (
        SELECT w.id FROM registry_derowner AS w
        WHERE w.aggregator_id = s.aggregator_id AND w.edc_id = s.edc_id AND w.account_index = o.account_index
    )
