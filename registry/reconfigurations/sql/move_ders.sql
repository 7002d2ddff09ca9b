-- DERs stand in lists by the feeder of their service point.
-- Called by registry.reconfigurations.services.acts.carry_out.
UPDATE registry_der AS d SET feeder_id = %(feeder)s
FROM reconfigured AS r
WHERE d.service_point_id = r.id AND d.feeder_id IS DISTINCT FROM %(feeder)s
