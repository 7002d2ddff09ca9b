-- The sealed owners of the staged rows, into their own table, and their keys beside the data keys.
-- Called by registry.submissions.services.staging.stage_file. An owner sealed for another party than the row's is not taken.
WITH keys AS (
    INSERT INTO moc_subjectkey (id, data_key_id, wrapped)
    SELECT r.subject, r.data_key_id, r.wrapped FROM filing AS r
    WHERE r.subject IS NOT NULL AND r.row_number > %(before)s AND r.row_number <= %(last)s
)
INSERT INTO registry_stagedowner (
    row_id, subject, sealed, filled, data_key_id, account_index, digest, flaws, earlier_index
)
SELECT
    s.id, r.subject, coalesce(r.sealed, ''), r.filled, r.data_key_id, r.account_index, r.digest, r.flaws, r.earlier_index
FROM filing AS r
JOIN registry_stagedder AS s ON s.submission_id = %(submission)s AND s.row_number = r.row_number + %(offset)s
JOIN moc_datakey AS k ON k.id = r.data_key_id AND k.organization_id = coalesce(s.edc_id, s.aggregator_id)
WHERE r.row_number > %(before)s AND r.row_number <= %(last)s
