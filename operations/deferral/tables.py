"""Columns of transformer alarms."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.deferral.models import TransformerAlarm

ALARM_TABLE = Table(
    caption="Transformer alarms",
    url=lambda row: reverse("operations:transformer_alarm", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No transformer is forecast above its rating",
    columns=(
        Column("transformer__code", "Transformer", kind="code", sort="id"),
        Column("feeder__code", "Feeder", kind="code"),
        Column("day", "Day"),
        Column("status", "Status", kind="status", choices=TransformerAlarm.Status),
        Column("rated_kva", "Rating (kVA)", numeric=True),
        Column("peak_kw", "Peak (kW)", numeric=True),
        Column("covered_kw", "Ordered off (kW)", numeric=True),
        Column("over_kwh", "Above the rating (kWh)", numeric=True),
        Column("edc__name", "Utility"),
    ),
)
