"""Columns of envelope policies."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.envelopes.models import EnvelopePolicy

POLICY_TABLE = Table(
    caption="Envelope policies",
    url=lambda row: reverse("operations:envelope_policy", args=[row["pk"]]),
    needs=("pk",),
    empty_title="No policy was made: the platform's defaults hold",
    columns=(
        Column("feeder__code", "Feeder", value=lambda row: row["feeder__code"] or "All others", needs=("feeder__code",)),
        Column("method", "Method", choices=EnvelopePolicy.Method),
        Column("robust", "Safe under partial use"),
        Column("auto_publish", "Published when checked"),
        Column("edc__name", "Utility"),
    ),
)
