"""The latest of what was published, as of any moment."""

from datetime import date, datetime

from moc.access.queries import ScopedQuerySet


class MeterDayQuerySet(ScopedQuerySet):
    """Meters' days."""

    def standing(self, at: datetime) -> "MeterDayQuerySet":
        """Of each service point and day the row that stood at a moment."""
        return self.filter(published_at__lte=at).order_by("service_point", "day", "-published_at").distinct("service_point", "day")

    def between(self, first: date, end: date) -> "MeterDayQuerySet":
        """Those of some days, half open."""
        return self.filter(day__gte=first, day__lt=end)


class ForecastQuerySet(ScopedQuerySet):
    """Forecasts."""

    def seen(self, at: datetime) -> "ForecastQuerySet":
        """Of each feeder and day the forecast that was the latest at a moment."""
        return self.filter(published_at__lte=at).order_by("feeder", "day", "-published_at").distinct("feeder", "day")
