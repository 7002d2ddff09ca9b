-- The good rows of a batch that say otherwise than the reading that is there of the same DER, moment and publication.
-- Called by operations.telemetry.services.taking_in.take_in.
SELECT s.row_number
FROM pg_temp.staged_ders AS s
JOIN registry_der AS d ON d.uuid = s.der
JOIN operations_reading AS r ON r.der_id = d.id AND r.event_at = s.event_at AND r.published_at = s.published_at
WHERE s.row_number <> ALL (%(refused)s::integer[])
  AND ((%(sources)s::text[])[s.source], (%(qualities)s::text[])[s.quality], (%(operating)s::text[])[s.operating],
       s.p_kw, s.q_kvar, s.soc_percent, s.up_kw, s.down_kw)
      IS DISTINCT FROM (r.source, r.quality, r.operating, r.p_kw, r.q_kvar, r.soc_percent, r.up_kw, r.down_kw)
