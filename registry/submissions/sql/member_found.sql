-- What the rules on members find today in the rows of a filing.
-- Called by registry.submissions.services.member_rows.find.
INSERT INTO registry_finding (submission_id, row_id, row_number, code, severity, "column", value)
SELECT s.submission_id, s.id, s.row_number, f.code, 'error', f.name, f.value
FROM member_findings AS f
JOIN registry_stagedder AS s ON s.submission_id = %(submission)s AND s.row_number = f.row_number
