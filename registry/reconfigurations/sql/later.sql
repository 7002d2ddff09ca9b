-- How many of the chosen service points were reconfigured on the day or later already.
-- Called by registry.reconfigurations.services.acts.carry_out.
SELECT count(DISTINCT c.service_point_id)
FROM reconfigured AS r JOIN registry_formerconnection AS c ON c.service_point_id = r.id
WHERE upper(c.valid_during) >= %(starts_on)s
