"""Rules on files of grid records, found while a file is read: each is one condition over the raw and the typed row."""

from moc.rules import WARNING, reading

NUMBER = reading(
    "GRID-NUMBER",
    "This is not a number that the field can hold.",
    remedy="Give digits with a decimal point, no unit and no thousands separator.",
)
LENGTH = reading("GRID-LENGTH", "The text is longer than the field.", remedy="Shorten it to the length in the dictionary of columns.")
MISSING = reading("GRID-MISSING", "A required value is missing.", remedy="Fill the cell, or add the column.")
DUPLICATE = reading("GRID-DUPLICATE", "An earlier row of the file is about the same record.", remedy="Keep one of the rows.")
REFERENCE = reading(
    "GRID-REFERENCE",
    "There is no such record.",
    remedy="Check the code, or load that record first: interfaces, substations, feeders, transformers, then service points.",
)
RANGE = reading("GRID-RANGE", "The value is out of range.", remedy="Check the value and its unit.")
PHASES = reading("GRID-PHASES", "A service point has one to three phases.", remedy="Write 1, 2 or 3.", columns=("phases_available",))
TRANSFORMER_FEEDER = reading(
    "GRID-TRANSFORMER-FEEDER",
    "The transformer is on another feeder.",
    remedy="Correct the feeder or the transformer, or leave the feeder empty: the transformer knows it.",
    columns=("feeder", "transformer"),
)
PNODE = reading(
    "GRID-PNODE",
    "The pricing node is not that of the feeder.",
    remedy="Correct it, or leave it empty: the feeder's T-D interface knows it.",
    columns=("pnode", "feeder"),
)
TERRITORY = reading(
    "GRID-TERRITORY",
    "The county is not in the utility's territory.",
    remedy="Check the county; the operator keeps the territories.",
    columns=("county_fips",),
    severity=WARNING,
)
TOO_MANY_CELLS = reading(
    "GRID-TOO-MANY-CELLS",
    "The row has more cells than the header.",
    remedy="Quote cells that contain the delimiter, or remove the extra cells.",
)
TOO_FEW_CELLS = reading(
    "GRID-TOO-FEW-CELLS", "The row has fewer cells than the header.", remedy="Add the missing cells, empty where there is no value."
)
SHAPE = {"too_many_cells": TOO_MANY_CELLS, "too_few_cells": TOO_FEW_CELLS}
# what a number may be: (least, most), both allowed
RANGES = {
    "latitude": ("-90", "90"),
    "longitude": ("-180", "180"),
    "nominal_kv": ("0.1", "1000"),
    "rated_kva": ("0", "1000000"),
    "nominal_voltage_v": ("1", "1000000"),
}
