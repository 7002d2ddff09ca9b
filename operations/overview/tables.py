"""Columns of feeders."""

from django.urls import reverse

from moc.portal import Column, Table

FEEDER_TABLE = Table(
    caption="Feeders",
    url=lambda row: reverse("operations:overview", args=[row["id"]]),
    needs=("id",),
    empty_title="No feeder is within reach",
    columns=(
        Column("code", "Feeder", kind="code", sort="id"),
        Column("substation__name", "Substation"),
        Column("substation__td_interface__name", "T-D interface"),
        Column("nominal_kv", "Voltage (kV)", numeric=True),
        Column("edc__name", "Utility"),
    ),
)
