-- A transformer goes with its service points where all of them go.
-- Called by registry.reconfigurations.services.acts.carry_out.
UPDATE registry_transformer AS x SET feeder_id = %(feeder)s
FROM (
    SELECT p.transformer_id FROM reconfigured AS r JOIN registry_servicepoint AS p ON p.id = r.id
    WHERE p.transformer_id IS NOT NULL GROUP BY p.transformer_id
) AS moved
WHERE x.id = moved.transformer_id AND x.feeder_id IS DISTINCT FROM %(feeder)s AND NOT EXISTS (
    SELECT FROM registry_servicepoint AS p LEFT JOIN reconfigured AS r ON r.id = p.id
    WHERE p.transformer_id = x.id AND r.id IS NULL
)
