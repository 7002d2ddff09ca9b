"""Columns of envelopes."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.envelopes.models import EnvelopeReceipt, EnvelopeRun
from registry.ders.choices import DerType

RUN_TABLE = Table(
    caption="Envelope runs",
    url=lambda row: reverse("operations:envelope_run", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No envelopes were computed",
    columns=(
        Column("feeder__code", "Feeder", kind="code"),
        Column("starts_at", "From"),
        Column("ends_at", "To"),
        Column("status", "Status", kind="status", choices=EnvelopeRun.Status),
        Column("number", "Set", numeric=True),
        Column("point_count", "Points", numeric=True),
        Column("edc__name", "Utility"),
    ),
)

POINT_TABLE = Table(
    caption="Envelopes of DERs",
    url=lambda row: reverse("operations:envelope", args=[row["pk"]]),
    needs=("pk",),
    empty_title="No DER has an envelope",
    wraps=True,
    columns=(
        Column("der__external_id", "DER", kind="code"),
        Column("der__der_type", "Type", choices=DerType),
        Column("feeder__code", "Feeder", kind="code"),
        Column("der__service_point__usage_point_id", "Service point", kind="code"),
        Column("import_now", "Import now (kW)", numeric=True, value=lambda row: row["import_now"], needs=("pk",)),
        Column("export_now", "Export now (kW)", numeric=True, value=lambda row: row["export_now"], needs=("pk",)),
        Column("edc__name", "Utility"),
    ),
)

RECEIPT_TABLE = Table(
    caption="Sets received",
    url=lambda row: reverse("operations:envelope_receipt", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No set was sent",
    columns=(
        Column("feeder_code", "Feeder", kind="code"),
        Column("number", "Set", numeric=True),
        Column("starts_at", "From"),
        Column("ends_at", "To"),
        Column("changed", "DERs with another envelope", numeric=True),
        Column("status", "Status", kind="status", choices=EnvelopeReceipt.Status),
        Column("aggregator__name", "Aggregator"),
    ),
)
