"""Envelopes, to build reports on; and that the utility tells what its grid allows as conditions change (¶310)."""

from django.urls import reverse_lazy

from moc.access import policy
from moc.reports.datasets import PERMISSION, Evidence, dataset, evidence
from operations.envelopes.models import EnvelopeReceipt, EnvelopeRun

dataset(
    "envelope-runs",
    "Computations of envelopes",
    EnvelopeRun,
    ("edc__name", "Utility"),
    ("feeder__code", "Feeder"),
    "status",
    "number",
    "starts_at",
    "ends_at",
    "step_minutes",
    "point_count",
    "unchecked",
    "cpu_s",
    about="Each set of operating envelopes of a feeder and window, with its status and its cost.",
)


@evidence("310")
def receipts(user) -> Evidence:
    """Envelopes that reached their aggregators, within the user's scope."""
    rows = policy.scope(EnvelopeReceipt.objects.all(), user, PERMISSION)
    return Evidence("Envelopes told to aggregators", rows, "sent_at", str(reverse_lazy("operations:envelope_receipts")))
