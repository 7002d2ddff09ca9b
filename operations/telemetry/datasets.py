"""Readiness, to build reports on; and that performance of each DER is on record, and coordination goes on (¶240, ¶310)."""

from django.urls import reverse_lazy

from moc.access import policy
from moc.reports.datasets import PERMISSION, Evidence, dataset, evidence
from operations.telemetry.models import DerState

dataset(
    "readiness",
    "Readiness of DERs",
    DerState,
    ("der__external_id", "DER"),
    ("der__der_type", "Technology"),
    ("aggregator__name", "Aggregator"),
    ("edc__name", "Utility"),
    "operating",
    "quality",
    "source",
    "p_kw",
    "q_kvar",
    "soc_percent",
    "up_kw",
    "down_kw",
    "event_at",
    "received_at",
    "stale_at",
    about="The latest reading of each DER, with the parties at that time.",
)


@evidence("240", "310")
def states(user) -> Evidence:
    """DERs that were heard of, within the user's scope."""
    rows = policy.scope(DerState.objects.all(), user, PERMISSION)
    return Evidence("DERs with readings on record", rows, "received_at", str(reverse_lazy("operations:states")))
