"""Columns of outcomes."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.outcomes.models import BY_GRID, by_grid


def _by_grid(way: str) -> Column:
    """What of the curtailed energy the grid's limits held back."""
    needs = f"curtailed_{way}_kwh", f"operator_{way}_kwh"
    return Column(
        f"grid_{way}_kwh", "by the grid (kWh)", numeric=True, needs=needs, value=lambda row: by_grid(*(row[name] for name in needs))
    )


OUTCOME_TABLE = Table(
    caption="What sets held back",
    url=lambda row: reverse("operations:envelope_outcome", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No set that was in force is over",
    columns=(
        Column("feeder__code", "Feeder", kind="code"),
        Column("number", "Set", numeric=True),
        Column("aggregator__name", "Aggregator"),
        Column("starts_at", "In force from"),
        Column("ends_at", "Until"),
        Column("ders", "DERs", numeric=True),
        Column("heard", "Heard of", numeric=True),
        Column("beyond", "Went beyond", numeric=True),
        Column("curtailed_export_kwh", "Curtailed export (kWh)", numeric=True),
        _by_grid("export"),
        Column("operator_export_kwh", "by an operator (kWh)", numeric=True),
        Column("estimated_kwh", "estimated (kWh)", numeric=True),
        Column("curtailed_import_kwh", "Curtailed import (kWh)", numeric=True),
        _by_grid("import"),
        Column("operator_import_kwh", "by an operator (kWh)", numeric=True),
        Column("edc__name", "Utility"),
    ),
)
COLUMNS = "number starts_at ends_at hours ders heard beyond readings heard_percent export_kwh import_kwh curtailed_export_kwh".split()
COLUMNS += "estimated_kwh curtailed_import_kwh storage_kwh unknown_hours made_at operator_export_kwh operator_import_kwh".split()
EXPORT = {"utility": "edc__name", "aggregator": "aggregator__name", "feeder": "feeder__code"} | {name: name for name in COLUMNS} | BY_GRID
