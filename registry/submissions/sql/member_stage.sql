-- The good rows of a change of members are kept as they were asked for, one for each DER and service, until they are decided.
-- Called by registry.submissions.services.members._stage.
INSERT INTO registry_stagedmember (submission_id, aggregator_id, edc_id, der_id, service_id, share_percent, starts_on, ends_on)
SELECT DISTINCT ON (s.der_id, s.service)
    %(submission)s, %(aggregator)s, s.edc_id, s.der_id, s.service, coalesce(s.share, 100), s.starts, s.ends
FROM member_rows AS s
JOIN registry_gridservice AS g ON g.code = s.service
WHERE NOT EXISTS (SELECT FROM member_findings AS f WHERE f.row_number = s.row_number)
ORDER BY s.der_id, s.service, s.row_number
