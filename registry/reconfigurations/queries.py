"""Former connections by the two times that they carry."""

from datetime import date, datetime

from moc.access.queries import ScopedQuerySet


class ConnectionQuerySet(ScopedQuerySet):
    """Rows added at moments, about days."""

    def on(self, day: date) -> "ConnectionQuerySet":
        """What held on a day."""
        return self.filter(valid_during__contains=day)

    def known(self, moment: datetime) -> "ConnectionQuerySet":
        """What had been recorded at a moment."""
        return self.filter(recorded_at__lte=moment)
