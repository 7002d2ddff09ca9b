"""Which aggregations, which members on which day."""

from moc.access.queries import ScopedQuerySet


class AggregationQuerySet(ScopedQuerySet):
    """Aggregations by what is asked of them."""

    def wholesale(self) -> "AggregationQuerySet":
        """Offering in a wholesale market, alone or beside distribution services."""
        return self.exclude(purpose="distribution")

    def living(self) -> "AggregationQuerySet":
        """Not retired."""
        return self.exclude(status="retired")


class DatedQuerySet(ScopedQuerySet):
    """Rows that hold on days."""

    def on(self, day) -> "DatedQuerySet":
        """Those that hold on a day."""
        return self.filter(valid_during__contains=day)

    def not_over(self, day) -> "DatedQuerySet":
        """Those that hold on a day or later."""
        return self.exclude(valid_during__fully_lt=(day, None))
