-- The session's table for the raw texts of one file of grid records; it vanishes with the transaction.
-- Called by registry.grid.services.reading.read.
DROP TABLE IF EXISTS grid_filing, grid_rows;
CREATE TEMPORARY TABLE grid_filing (row_number integer NOT NULL, shape_problem text, {columns}) ON COMMIT DROP
