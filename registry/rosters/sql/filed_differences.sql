-- Filed rows of a review whose account is in a programme that they do not name, or that name one in which it is not; the first few.
-- Called by registry.rosters.services.of_review.
SELECT s.row_number, s.external_id, r.program, CASE WHEN e.id IS NULL THEN 'ROSTER-ABSENT' ELSE 'ROSTER-UNDECLARED' END, count(*) OVER ()
FROM registry_roster AS r
JOIN registry_stagedder AS s ON s.edc_id = r.edc_id AND s.submission_id = %(submission)s
JOIN registry_stagedowner AS o ON o.row_id = s.id AND o.account_index IS NOT NULL
LEFT JOIN registry_rosterentry AS e ON e.roster_id = r.id AND e.data_key_id = o.data_key_id AND e.account_index = o.account_index
WHERE r.edc_id = %(edc)s
    AND EXISTS (SELECT FROM registry_rosterentry AS k WHERE k.roster_id = r.id AND k.data_key_id = o.data_key_id)
    AND (r.program = ANY (s.retail_programs)) <> (e.id IS NOT NULL)
ORDER BY s.row_number, r.program
LIMIT %(most)s
