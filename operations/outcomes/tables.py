"""Columns of outcomes."""

from django.urls import reverse

from moc.portal import Column, Table

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
        Column("estimated_kwh", "of it estimated (kWh)", numeric=True),
        Column("curtailed_import_kwh", "Curtailed import (kWh)", numeric=True),
        Column("edc__name", "Utility"),
    ),
)
COLUMNS = "number starts_at ends_at hours ders heard beyond readings heard_percent export_kwh import_kwh curtailed_export_kwh".split()
COLUMNS += "estimated_kwh curtailed_import_kwh storage_kwh unknown_hours made_at".split()
EXPORT = {"utility": "edc__name", "aggregator": "aggregator__name", "feeder": "feeder__code"} | {name: name for name in COLUMNS}
