"""Which DERs are ready, which cannot deliver, and of which nothing was heard for too long."""

from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet

DELIVERING = ("on", "standby")


class StateQuerySet(ScopedQuerySet):
    def with_readiness(self, readiness: str) -> "StateQuerySet":
        """The states of one readiness: ready, unavailable or stale."""
        return self.filter(condition(readiness))


def condition(readiness: str, prefix: str = "") -> Q:
    """The condition of a readiness on states, or on what leads to them by a prefix."""
    late = Q(**{f"{prefix}stale_at__lte": timezone.now()})
    fresh, delivering = Q(**{f"{prefix}stale_at__gt": timezone.now()}), Q(**{f"{prefix}operating__in": DELIVERING})
    return {"ready": fresh & delivering, "unavailable": fresh & ~delivering, "stale": late}[readiness]
