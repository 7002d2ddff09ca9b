"""Columns of notices of intent."""

from django.urls import reverse
from django.utils import timezone

from moc.portal import Column, Table
from registry.intents.models import IntentNotice

OPEN = (IntentNotice.Status.SENT, IntentNotice.Status.ANSWERED)


def _due(row: dict):
    """The clock of a notice that runs still, as its last day."""
    return timezone.localdate(row["due_at"] - timezone.timedelta(microseconds=1)) if row["status"] in OPEN else None


INTENT_TABLE = Table(
    caption="Notices of intent",
    url=lambda row: reverse("registry:intent", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No notices of intent",
    columns=(
        Column("title", "Notice"),
        Column("status", "Status", kind="status", choices=IntentNotice.Status),
        Column("row_count", "DERs", numeric=True),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
        Column("due_at", "By", value=_due, needs=("due_at", "status")),
        Column("created_at", "Sent"),
    ),
)
