"""Which disputes."""

from datetime import datetime

from moc.access.queries import ScopedQuerySet

OPEN = ("negotiating", "at_rto", "at_rerra")


class DisputeQuerySet(ScopedQuerySet):
    """Disputes by where they stand."""

    def standing(self) -> "DisputeQuerySet":
        """Not closed."""
        return self.filter(status__in=OPEN)

    def overdue(self, now: datetime) -> "DisputeQuerySet":
        """The level's clock has expired."""
        return self.standing().filter(due_at__lte=now)

    def turn_missed(self, now: datetime) -> "DisputeQuerySet":
        """The party whose turn it is has let its days pass."""
        return self.standing().filter(turn_due_at__lte=now)
