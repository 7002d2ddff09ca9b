-- Service points are on the feeder of their transformer.
-- Called by registry.grid.services.reading.take.
UPDATE registry_servicepoint AS p SET feeder_id = t.feeder_id
FROM registry_transformer AS t
WHERE p.edc_id = %(edc)s AND t.id = p.transformer_id AND p.feeder_id IS DISTINCT FROM t.feeder_id
