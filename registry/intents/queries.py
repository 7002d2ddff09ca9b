"""Points of notices by what is open about them."""

from moc.access.queries import ScopedQuerySet


class PointQuerySet(ScopedQuerySet):
    """Points of a notice of intent."""

    def open(self) -> "PointQuerySet":
        """The utility has not answered yet."""
        return self.filter(status="open")

    def differing(self) -> "PointQuerySet":
        """The utility knows it otherwise."""
        return self.filter(status="differs")
