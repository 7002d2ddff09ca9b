"""Which events count, of any kind, and which outages."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from moc.access.queries import ScopedQuerySet

OPEN = ("planned", "active")


def coming(until: datetime) -> Q:
    """What is going on, or planned to begin before a moment: events, and outages of DERs."""
    return Q(status="active") | Q(status="planned", starts_at__lt=until)


class EventQuerySet(ScopedQuerySet):
    """Events of the grid or of lines."""

    def open(self) -> "EventQuerySet":
        """Those that go on or are to come, the latest first."""
        return self.filter(status__in=OPEN).order_by("-starts_at")

    def covering(self, at: datetime) -> "EventQuerySet":
        """Those that hold at a moment. What is planned counts as told; what is overdue counts on until it is restored."""
        known = Q(expected_until=None) | Q(expected_until__gt=at) | Q(expected_until__lte=timezone.now())
        return self.filter(Q(known, status__in=OPEN) | Q(status="restored", restored_at__gt=at), starts_at__lte=at)
