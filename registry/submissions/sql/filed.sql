-- The number of the last row that was read so far.
-- Called by registry.submissions.services.staging.stage_file.
SELECT coalesce(max(row_number), 0) FROM filing
