"""Columns of reliability findings."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.reliability.models import ReliabilityFinding

FINDING_TABLE = Table(
    caption="Reliability findings",
    url=lambda row: reverse("operations:reliability_finding", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="Nothing was found",
    columns=(
        Column("der__external_id", "DER", kind="code", sort="id"),
        Column("rule", "What", choices=ReliabilityFinding.Rule),
        Column("status", "Status", kind="status", choices=ReliabilityFinding.Status),
        Column("count", "Cases", numeric=True),
        Column("first_at", "First"),
        Column("last_at", "Last"),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
    ),
)
EXPORT = {name: name for name in ("rule", "status", "count", "first_at", "last_at")} | {
    "der": "der__uuid",
    "aggregator": "aggregator__name",
    "utility": "edc__name",
}
