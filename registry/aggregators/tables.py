"""Columns of lists of registrations and suspensions."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.aggregators.models import AggregatorRegistration, Suspension

REGISTRATION_TABLE = Table(
    caption="Registrations",
    url=lambda row: reverse("registry:aggregator_detail", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No registrations",
    columns=(
        Column("aggregator__name", "Aggregator"),
        Column("status", "Status", kind="status", choices=AggregatorRegistration.Status),
        Column("rerra__name", "Regulator"),
        Column("registered_on", "Registered on"),
    ),
)
SUSPENSION_TABLE = Table(
    caption="Suspensions",
    url=lambda row: reverse("registry:suspension_detail", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="Nobody is suspended",
    columns=(
        Column("aggregator__name", "Aggregator"),
        Column("status", "Status", kind="status", choices=Suspension.Status),
        Column("level", "Level", choices=Suspension.Level),
        Column("authority__name", "By"),
        Column("reason", "Reason", choices=Suspension.Reason),
        Column("imposed_at", "Since"),
        Column("lifted_at", "Lifted"),
    ),
)
