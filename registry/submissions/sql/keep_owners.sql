-- Rows of a file without personal columns keep the owner of the record that they change, as long as the utility is the same.
-- Called by registry.submissions.services.staging.stage_file.
INSERT INTO registry_stagedowner (row_id, subject, sealed, filled, data_key_id, account_index, digest, flaws)
SELECT s.id, w.subject, w.sealed, w.filled, w.data_key_id, w.account_index, w.digest, 0
FROM registry_stagedder AS s
JOIN registry_der AS d ON d.id = s.der_id
JOIN registry_derowner AS w ON w.id = d.owner_id AND w.edc_id = s.edc_id
WHERE s.submission_id = %(submission)s AND s.row_number > %(offset)s
