-- New findings come; those that stand keep the moment at which they were found.
-- Called by registry.rosters.services.match.
INSERT INTO registry_rosterfinding (der_id, edc_id, program, code, found_at)
SELECT der_id, edc_id, program, code, now() FROM roster_differences
ON CONFLICT (der_id, program, code) DO NOTHING
