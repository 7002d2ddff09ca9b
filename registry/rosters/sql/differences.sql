-- Registered DERs whose owner's account is in a programme that they do not name, or that name one in which it is not.
-- Called by registry.rosters.services.match.
DROP TABLE IF EXISTS roster_differences;
CREATE TEMPORARY TABLE roster_differences ON COMMIT DROP AS
SELECT d.id AS der_id, d.edc_id, r.program, CASE WHEN e.id IS NULL THEN 'ROSTER-ABSENT' ELSE 'ROSTER-UNDECLARED' END AS code
FROM registry_roster AS r
JOIN registry_der AS d ON d.edc_id = r.edc_id AND d.status <> 'decommissioned'
JOIN registry_derowner AS o ON o.id = d.owner_id AND o.account_index IS NOT NULL
LEFT JOIN registry_rosterentry AS e ON e.roster_id = r.id AND e.data_key_id = o.data_key_id AND e.account_index = o.account_index
WHERE (%(edc)s::bigint IS NULL OR r.edc_id = %(edc)s)
    AND EXISTS (SELECT FROM registry_rosterentry AS k WHERE k.roster_id = r.id AND k.data_key_id = o.data_key_id)
    AND (r.program = ANY (d.retail_programs)) <> (e.id IS NOT NULL)
