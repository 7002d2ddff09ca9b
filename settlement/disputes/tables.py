"""Columns of disputes, of their bundles, and of the figures by utility."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.submissions.reports import last_day
from settlement.disputes.models import BundleItem, Dispute, Side
from settlement.disputes.queries import OPEN


def _open_until(row: dict):
    """The deadline of a dispute that stands."""
    return row["due_at"] if row["status"] in OPEN else None


DISPUTE_TABLE = Table(
    caption="Disputes",
    url=lambda row: reverse("settlement:dispute", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No disputes match",
    columns=(
        Column("title", "Dispute"),
        Column("status", "Status", kind="status", choices=Dispute.Status),
        Column("days_left", "Days left", kind="deadline", value=_open_until, needs=("due_at", "status")),
        Column("turn", "Turn", choices=Side),
        Column("outcome", "Outcome", choices=Dispute.Outcome),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
        Column("opened_at", "Opened"),
        Column("due_at", "Due", value=lambda row: last_day(row["due_at"]), needs=("due_at",), sort="due_at"),
    ),
)
DISPUTE_EXPORT = {
    "dispute": "uuid",
    "title": "title",
    "status": "status",
    "level": "level",
    "outcome": "outcome",
    "aggregator": "aggregator__name",
    "utility": "edc__name",
    "opened": "opened_at",
    "due": "due_at",
    "closed": "closed_at",
    "bundle_sha256": "bundle_sha256",
}

BUNDLE_TABLE = Table(
    caption="Records of the bundle",
    empty_title="No records match",
    columns=(
        Column("id", "No.", kind="code"),
        Column("kind", "Kind", choices=BundleItem.Kind),
        Column("source", "From", kind="code"),
        Column("source_key", "Key there", numeric=True),
        Column("stood_at", "As of"),
        Column("audience", "Known to one party only", choices=Side),
        Column("sha256", "Hash (SHA-256)", kind="code"),
    ),
)
