-- The chosen service points are connected to the feeder, and to the transformer or to the one that came along.
-- Called by registry.reconfigurations.services.acts.carry_out.
UPDATE registry_servicepoint AS p
SET feeder_id = %(feeder)s,
    transformer_id = coalesce(%(transformer)s, (SELECT x.id FROM registry_transformer AS x WHERE x.id = p.transformer_id AND x.feeder_id = %(feeder)s))
FROM reconfigured AS r
WHERE p.id = r.id
