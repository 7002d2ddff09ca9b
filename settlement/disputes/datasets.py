"""Disputes, to build reports on; and that they are resolved (¶299)."""

from django.urls import reverse_lazy

from moc.access import policy
from moc.reports.datasets import PERMISSION, Evidence, dataset, evidence
from settlement.disputes.models import Dispute

dataset(
    "disputes",
    "Disputes",
    Dispute,
    "title",
    "status",
    "level",
    "outcome",
    ("aggregator__name", "Aggregator"),
    ("edc__name", "Utility"),
    ("tso__name", "RTO"),
    ("rerra__name", "Regulator"),
    ("decision__reason_code", "Ground of the denial"),
    "opened_at",
    ("due_at", "End of the level"),
    "closed_at",
    about="Disputes about utilities' reviews, open and closed, with their level and outcome.",
)


@evidence("299")
def disputes(user) -> Evidence:
    """Disputes that the user may export."""
    return Evidence(
        "Disputes", policy.scope(Dispute.objects.all(), user, PERMISSION), "opened_at", str(reverse_lazy("settlement:dispute_list"))
    )
