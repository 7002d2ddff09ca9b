-- DERs stand in lists by the feeder and county of their service point, wherever that is now.
-- Called by registry.grid.services.reading.take.
UPDATE registry_der AS d SET feeder_id = p.feeder_id, county_id = p.county_id
FROM registry_servicepoint AS p
WHERE d.edc_id = %(edc)s AND p.id = d.service_point_id AND (d.feeder_id, d.county_id) IS DISTINCT FROM (p.feeder_id, p.county_id)
