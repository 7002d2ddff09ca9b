-- Good rows become grid records, or change them; what stays equal is not touched.
-- Called by registry.grid.services.reading.take.
INSERT INTO {table} (edc_id, {names})
SELECT %(edc)s, {values}
FROM grid_rows AS s
WHERE NOT EXISTS (
    SELECT FROM registry_gridfinding AS f WHERE f.load_id = %(load)s AND f.row_number = s.row_number AND f.severity = 'error'
)
ON CONFLICT (edc_id, {key}) DO UPDATE SET {updates}
WHERE ROW({current})::record *<> ROW({proposed})::record
