"""Load the shipped grid services."""

from moc.history import acting
from registry.aggregations.choices import SERVICES
from registry.aggregations.models import GridService


def load() -> int:
    """Add the shipped services that are not there yet; those that people changed stay. Returns how many were added."""
    with acting(None, "system: load_services"):
        known = set(GridService.objects.values_list("pk", flat=True))
        rows = [GridService(code=code, name=name, level=level) for code, name, level in SERVICES if code not in known]
        return len(GridService.objects.bulk_create(rows))
