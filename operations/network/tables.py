"""Columns of networks."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.network.models import NetworkVersion

NETWORK_TABLE = Table(
    caption="Networks",
    url=lambda row: reverse("operations:network", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No network was loaded",
    columns=(
        Column("feeder__code", "Feeder", kind="code"),
        Column("status", "Status", kind="status", choices=NetworkVersion.Status),
        Column("node_count", "Nodes (bus and phase)", numeric=True),
        Column("point_count", "Points", numeric=True),
        Column("linked_count", "Linked", numeric=True),
        Column("document__name", "File"),
        Column("edc__name", "Utility"),
        Column("created_at", "Loaded"),
    ),
)
