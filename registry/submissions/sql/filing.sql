-- The session's table for the raw texts of one file; it vanishes with the transaction.
-- Called by registry.submissions.services.staging.stage_file.
CREATE TEMPORARY TABLE filing ({columns}) ON COMMIT DROP
