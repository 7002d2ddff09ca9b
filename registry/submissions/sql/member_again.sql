-- What was asked for as typed rows again: of a decision, or of all rows in some statuses. Past days are today, a DER that went is none.
-- Called by registry.submissions.services.member_rows.lay.
INSERT INTO member_rows
SELECT
    s.row_number, NULL, s.external_id, NULL, NULL, NULL, NULL,
    CASE WHEN d.aggregator_id = m.aggregator_id THEN d.id END, d.edc_id, d.status = 'decommissioned', m.service_id, m.share_percent,
    CASE WHEN m.starts_on IS NOT NULL THEN greatest(m.starts_on, %(today)s::date) END,
    CASE WHEN m.starts_on IS NULL THEN greatest(m.ends_on, %(today)s::date) ELSE m.ends_on END
FROM registry_stagedmember AS m
JOIN registry_stagedder AS s ON s.submission_id = m.submission_id AND s.der_id = m.der_id
JOIN registry_der AS d ON d.id = m.der_id
WHERE m.submission_id = %(submission)s AND (%(decision)s::bigint IS NULL OR s.decision_id = %(decision)s::bigint)
    AND s.status = ANY (%(statuses)s::text[])
