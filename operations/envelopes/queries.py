"""Which envelope runs and points."""

from moc.access.queries import ScopedQuerySet


class RunQuerySet(ScopedQuerySet):
    def of_feeder(self, feeder) -> "RunQuerySet":
        return self.filter(feeder=feeder)

    def published(self) -> "RunQuerySet":
        return self.filter(status="published")

    def overlapping(self, starts_at, ends_at) -> "RunQuerySet":
        """Runs whose window has an instant in common with [starts_at, ends_at)."""
        return self.filter(starts_at__lt=ends_at, ends_at__gt=starts_at)
