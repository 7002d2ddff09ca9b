-- Cast the raw texts once into typed rows, finding the records that they name and the record that they change.
-- Called by registry.grid.services.reading.read.
CREATE TEMPORARY TABLE grid_rows ON COMMIT DROP AS
SELECT
    r.row_number, known.id AS known, {values},
    row_number() OVER (PARTITION BY r.{key} ORDER BY r.row_number) AS nth
FROM grid_filing AS r
LEFT JOIN {table} AS known ON known.edc_id = %(edc)s AND known.{key} = r.{key}
{joins}
