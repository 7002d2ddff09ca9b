-- What is wrong with which row and cell, with the text as given.
-- Called by registry.grid.services.reading.find.
INSERT INTO registry_gridfinding (load_id, edc_id, row_number, code, severity, "column", value)
SELECT %(load)s, %(edc)s, r.row_number, problem.code, problem.severity, problem.name, coalesce(left(problem.value, 500), '')
FROM grid_filing AS r
JOIN grid_rows AS s ON s.row_number = r.row_number
CROSS JOIN LATERAL (VALUES {problems}) AS problem (broken, code, severity, name, value)
WHERE ({any_problem}) AND problem.broken
