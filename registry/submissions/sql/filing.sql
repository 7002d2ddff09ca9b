-- The session's table for the raw texts of one file; it vanishes with the transaction. The file is staged part by part, each found by its numbers.
-- Called by registry.submissions.services.staging.stage_file.
CREATE TEMPORARY TABLE filing ({columns}) ON COMMIT DROP;
CREATE INDEX filing_by_number ON filing (row_number)
