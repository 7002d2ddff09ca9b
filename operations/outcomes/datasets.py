"""Outcomes of envelopes, to build reports on: curtailed energy by utility, feeder and aggregator."""

from moc.reports.datasets import FLOAT, Item, dataset
from operations.outcomes.models import BY_GRID, EnvelopeOutcome

dataset(
    "envelope-outcomes",
    "Outcomes of envelopes",
    EnvelopeOutcome,
    ("edc__name", "Utility"),
    ("feeder__code", "Feeder"),
    ("aggregator__name", "Aggregator"),
    "number",
    "starts_at",
    "ends_at",
    "hours",
    "ders",
    "heard",
    "beyond",
    "readings",
    "heard_percent",
    "export_kwh",
    "import_kwh",
    "curtailed_export_kwh",
    Item("grid_export_kwh", "Curtailed export by the grid (kWh)", FLOAT, expression=lambda moment: BY_GRID["grid_export_kwh"]),
    "operator_export_kwh",
    "estimated_kwh",
    "curtailed_import_kwh",
    Item("grid_import_kwh", "Curtailed import by the grid (kWh)", FLOAT, expression=lambda moment: BY_GRID["grid_import_kwh"]),
    "operator_import_kwh",
    "storage_kwh",
    "unknown_hours",
    about="Of each published set and aggregator: who kept to it while it was in force, and the energy that it held back.",
)
