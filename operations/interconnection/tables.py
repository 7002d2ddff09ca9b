"""Columns of studies and of settings read back."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.interconnection.models import InterconnectionStudy, SettingsReadback

STUDY_TABLE = Table(
    caption="Interconnection studies",
    url=lambda row: reverse("operations:interconnection", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="Nothing was studied",
    columns=(
        Column("title", "Project", sort="id"),
        Column("feeder__code", "Feeder", kind="code"),
        Column("bus", "Bus", kind="code"),
        Column("status", "Status", kind="status", choices=InterconnectionStudy.Status),
        Column("rated_kw", "Rated (kW)", numeric=True),
        Column("firm_export_kw", "Firm export (kW)", numeric=True),
        Column("flexible_export_kw", "Flexible export (kW)", numeric=True),
        Column("curtailed_percent", "Curtailed (%)", numeric=True),
        Column("edc__name", "Utility"),
    ),
)
READBACK_TABLE = Table(
    caption="Settings read back",
    url=lambda row: reverse("operations:settings_readback", args=[row["pk"]]),
    needs=("pk",),
    empty_title="No settings were read back",
    columns=(
        Column("der__external_id", "DER", kind="code", sort="id"),
        Column("at", "Read at"),
        Column("as_issued", "As issued", value=lambda row: not row["differences"], needs=("differences",)),
        Column("source", "Read by", choices=SettingsReadback.Source),
        Column("told_at", "Told at"),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
    ),
)
