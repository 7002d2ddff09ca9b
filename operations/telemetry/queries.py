"""Which DERs are ready, which cannot deliver, and of which nothing was heard for too long."""

from django.db.models import Count, Q, Sum
from django.utils import timezone

from moc.access.queries import ScopedQuerySet

DELIVERING = ("on", "standby")


class HeardQuerySet(ScopedQuerySet):
    """The latest of what is heard of."""

    def stale(self, stale: bool = True) -> "HeardQuerySet":
        """What was not heard of for too long; or what was heard of."""
        return self.filter(stale_at__lte=timezone.now()) if stale else self.filter(stale_at__gt=timezone.now())


class StateQuerySet(HeardQuerySet):
    """States of DERs. Readiness respects outages, and what owners keep for themselves (personal use)."""

    def with_readiness(self, readiness: str) -> "StateQuerySet":
        """The states of one readiness: ready, kept, unavailable or stale."""
        if readiness == "stale":
            return self.stale()
        fresh, kept, out = self.stale(False), self.model.kept_ders(), self.model.out_ders()
        if readiness == "unavailable":
            return fresh.filter(~Q(operating__in=DELIVERING) | Q(der__in=out))
        delivering = fresh.filter(operating__in=DELIVERING).exclude(der__in=out)
        return delivering.filter(der__in=kept) if readiness == "kept" else delivering.exclude(der__in=kept)


class CheckQuerySet(ScopedQuerySet):
    """What was owed and what came."""

    def of_aggregations(self, aggregations: bool = True) -> "CheckQuerySet":
        """Checks of aggregations; or of DERs."""
        return self.filter(aggregation__isnull=not aggregations)

    def wanting(self, wanting: bool = True) -> "CheckQuerySet":
        """Where something was missing, late, incomplete or differing; or where all was well."""
        wrong = Q(missing__gt=0) | Q(late__gt=0) | Q(incomplete__gt=0) | Q(differing__gt=0)
        return self.filter(wrong) if wanting else self.exclude(wrong)

    def by_party(self) -> "CheckQuerySet":
        """Sums of DERs' intervals by day, aggregator and utility; the newest day first."""
        sums = {name: Sum(name) for name in ("owed", "delivered", "missing", "late", "incomplete")}
        rows = self.of_aggregations(False).order_by().values("day", "aggregator__name", "edc__name")
        return rows.annotate(ders=Count("pk"), **sums).order_by("-day", "aggregator__name", "edc__name")
