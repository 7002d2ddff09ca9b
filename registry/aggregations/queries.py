"""Which aggregations, which members on which day."""

from django.db.models import DateField, F, Func, Value

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

    def end(self, day) -> int:
        """Let these rows end on a day, the first without them; those that would only begin then go. Returns how many; inside acting()."""
        gone, _ = self.order_by().filter(valid_during__startswith__gte=day).delete()
        until = Func(Func(F("valid_during"), function="lower"), Value(day, output_field=DateField()), function="daterange")
        return gone + self.order_by().not_over(day).update(valid_during=until)

    def not_over(self, day) -> "DatedQuerySet":
        """Those that hold on a day or later."""
        return self.exclude(valid_during__fully_lt=(day, None))
