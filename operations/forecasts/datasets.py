"""That metering relies on utilities' meter data (¶269, ¶270)."""

from django.urls import reverse_lazy

from moc.access import policy
from moc.reports.datasets import PERMISSION, Evidence, evidence
from operations.forecasts.models import MeterDay


@evidence("269", "270")
def meter_days(user) -> Evidence:
    """Days of utilities' meters, within the user's scope."""
    rows = policy.scope(MeterDay.objects.all(), user, PERMISSION)
    return Evidence("Days of meter data", rows, "published_at", str(reverse_lazy("operations:forecasts")))
