-- Good rows become members.
-- Called by registry.aggregations.services.membership.carry_out.
INSERT INTO registry_aggregationmember
    (aggregation_id, der_id, service_id, aggregator_id, edc_id, wholesale, share_percent, valid_during)
SELECT %(aggregation)s, s.der_id, s.service, %(aggregator)s, s.edc_id, g.level = 'wholesale', s.share, daterange(s.starts, s.ends)
FROM member_rows AS s
JOIN registry_gridservice AS g ON g.code = s.service
WHERE NOT EXISTS (SELECT FROM member_findings AS f WHERE f.row_number = s.row_number)
