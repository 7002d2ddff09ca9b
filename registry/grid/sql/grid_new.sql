-- How many of the good rows are new records.
-- Called by registry.grid.services.reading.take.
SELECT count(*) FROM grid_rows AS s
WHERE s.known IS NULL AND NOT EXISTS (
    SELECT FROM registry_gridfinding AS f WHERE f.load_id = %(load)s AND f.row_number = s.row_number AND f.severity = 'error'
)
