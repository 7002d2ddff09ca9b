-- Findings that no longer hold go.
-- Called by registry.rosters.services.match.
DELETE FROM registry_rosterfinding AS f
WHERE (%(edc)s::bigint IS NULL OR f.edc_id = %(edc)s) AND NOT EXISTS (
    SELECT FROM roster_differences AS n WHERE n.der_id = f.der_id AND n.program = f.program AND n.code = f.code)
