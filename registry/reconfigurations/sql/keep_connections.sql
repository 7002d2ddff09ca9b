-- Where the chosen service points were connected until the day: since the last change known, or since ever.
-- Called by registry.reconfigurations.services.acts.carry_out.
INSERT INTO registry_formerconnection (
    service_point_id, edc_id, feeder_id, transformer_id, pnode_id, valid_during, recorded_at, reconfiguration_id
)
SELECT
    p.id, p.edc_id, p.feeder_id, p.transformer_id, t.pnode_id,
    daterange((SELECT max(upper(c.valid_during)) FROM registry_formerconnection AS c WHERE c.service_point_id = p.id), %(starts_on)s),
    clock_timestamp(), %(reconfiguration)s
FROM reconfigured AS r
JOIN registry_servicepoint AS p ON p.id = r.id
LEFT JOIN registry_feeder AS f ON f.id = p.feeder_id
LEFT JOIN registry_substation AS b ON b.id = f.substation_id
LEFT JOIN registry_tdinterface AS t ON t.id = b.td_interface_id
