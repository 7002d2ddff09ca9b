"""Which grid services."""

from moc.access.queries import ScopedQuerySet


class ServiceQuerySet(ScopedQuerySet):
    """Grid services by whether they are offered."""

    def in_force(self) -> "ServiceQuerySet":
        """Put in force by a second person, or shipped."""
        return self.filter(status="in_force")
