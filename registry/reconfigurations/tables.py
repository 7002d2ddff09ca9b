"""Columns of reconfigurations."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.reconfigurations.models import Reconfiguration

RECONFIGURATION_TABLE = Table(
    caption="Reconfigurations",
    url=lambda row: reverse("registry:reconfiguration", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="Nothing was reconfigured",
    columns=(
        Column("reason", "Reason"),
        Column("status", "Status", kind="status", choices=Reconfiguration.Status),
        Column("starts_on", "From"),
        Column("point_count", "Service points", numeric=True),
        Column("der_count", "DERs", numeric=True),
        Column("edc__name", "Utility"),
        Column("done_at", "Carried out"),
    ),
)
