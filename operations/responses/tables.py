"""Columns of responses to outages."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.responses.models import OutageResponse

RESPONSE_TABLE = Table(
    caption="Responses to outages",
    url=lambda row: reverse("operations:outage_response", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No outage was answered",
    columns=(
        Column("aggregation__name", "Aggregation", sort="id"),
        Column("outage__der__external_id", "DER that is out", kind="code"),
        Column("kind", "Answer", choices=OutageResponse.Kind),
        Column("status", "Status", kind="status", choices=OutageResponse.Status),
        Column("lost_up_kw", "Lost up (kW)", numeric=True),
        Column("lost_down_kw", "Lost down (kW)", numeric=True),
        Column("regained_up_kw", "Regained up (kW)", numeric=True),
        Column("regained_down_kw", "Regained down (kW)", numeric=True),
        Column("chosen_at", "Chosen"),
    ),
)
