"""Which certifications hold, and which suspensions bar a filing."""

from datetime import date

from django.db.models import Max, Q

from moc.access.queries import ScopedQuerySet


class CertificationQuerySet(ScopedQuerySet):
    """Certifications by what they are good for."""

    def standing(self) -> "CertificationQuerySet":
        """Not withdrawn."""
        return self.filter(withdrawn_on=None)

    def last_days(self, aggregator: int) -> dict[str, date]:
        """kind → the last day on which the aggregator's latest certification of it is valid."""
        rows = self.standing().filter(aggregator=aggregator).order_by().values_list("kind")
        return dict(rows.annotate(last=Max("expires_on")))


class SuspensionQuerySet(ScopedQuerySet):
    """Suspensions by what they bar."""

    def barring(self, aggregator: int, *, edcs=(), tso: int | None = None) -> "SuspensionQuerySet":
        """Those in force that bar a filing with these utilities, or an aggregation in this market; a regulator's bars everything."""
        level = Q(level="state") | Q(level="utility", authority__in=list(edcs)) | Q(level="market", authority=tso)
        return self.filter(level, aggregator=aggregator, status="in_force")
