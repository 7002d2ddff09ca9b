"""Columns of states and of aggregations' readiness."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.telemetry.models import DerState, readiness
from registry.ders.choices import DerType

STATE_TABLE = Table(
    caption="Readiness of DERs",
    url=lambda row: reverse("operations:state", args=[row["pk"]]),
    needs=("pk",),
    empty_title="No DER was heard of",
    columns=(
        Column("der__external_id", "DER", kind="code"),
        Column("der__der_type", "Technology", choices=DerType),
        Column("der__feeder__code", "Feeder", kind="code"),
        Column(
            "readiness",
            "Readiness",
            kind="status",
            choices=DerState.Readiness,
            value=lambda row: readiness(row["stale_at"], row["operating"]),
            needs=("stale_at", "operating"),
        ),
        Column("p_kw", "Power (kW)", numeric=True),
        Column("soc_percent", "Charge (%)", numeric=True),
        Column("up_kw", "Room up (kW)", numeric=True),
        Column("down_kw", "Room down (kW)", numeric=True),
        Column("event_at", "Measured"),
    ),
)

TOLD = ("members", "ready", "unavailable", "stale", "silent", "p_kw", "up_kw", "down_kw")
LABELS = ("Members", "Ready", "Not available", "Not heard of", "Never heard of", "Power (kW)", "Room up (kW)", "Room down (kW)")

AGGREGATION_TABLE = Table(
    caption="Readiness of aggregations",
    url=lambda row: f"{reverse('operations:states')}?aggregation={row['uuid']}",
    needs=("uuid",),
    empty_title="No aggregation is registered",
    columns=(
        Column("name", "Aggregation"),
        *(
            Column(name, label, numeric=True, value=lambda row, name=name: row[name], needs=("pk",))
            for name, label in zip(TOLD, LABELS, strict=True)
        ),
        Column("aggregator__name", "Aggregator"),
    ),
)
