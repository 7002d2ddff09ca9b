-- The good rows of a batch that say otherwise than the reading that is there of the same subject, moment and publication.
-- Called by operations.telemetry.services.taking_in.take_in.
SELECT s.row_number
FROM pg_temp.staged_subjects AS s
LEFT JOIN registry_aggregation AS a ON s.kind = 'aggregation' AND a.uuid::text = lower(s.name)
JOIN operations_subjectreading AS r ON r.event_at = s.event_at AND r.published_at = s.published_at
LEFT JOIN registry_feeder AS f ON f.id = r.feeder_id
LEFT JOIN registry_transformer AS t ON t.id = r.transformer_id
LEFT JOIN registry_tdinterface AS i ON i.id = r.td_interface_id
LEFT JOIN moc_organization AS o ON o.id = r.edc_id
WHERE s.row_number <> ALL (%(refused)s::integer[])
  AND CASE s.kind
      WHEN 'aggregation' THEN r.aggregation_id = a.id
      WHEN 'feeder' THEN f.code = s.name
      WHEN 'transformer' THEN t.code = s.name
      ELSE i.code = s.name
  END
  AND (s.kind = 'aggregation' OR coalesce(s.edc, '') = o.slug OR coalesce(s.edc, '') = '' AND (r.edc_id = ANY (%(senders)s::bigint[]) OR r.tso_id = ANY (%(senders)s::bigint[])))
  AND ((%(sources)s::text[])[s.source], (%(qualities)s::text[])[s.quality], s.p_kw, s.q_kvar, s.up_kw, s.down_kw, s.voltage_pu)
      IS DISTINCT FROM (r.source, r.quality, r.p_kw, r.q_kvar, r.up_kw, r.down_kw, r.voltage_pu)
