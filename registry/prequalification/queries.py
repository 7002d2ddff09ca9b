"""Which verdicts."""

from moc.access.queries import ScopedQuerySet

__all__ = ["QualificationQuerySet", "ScopedQuerySet"]


class QualificationQuerySet(ScopedQuerySet):
    """Verdicts and broken rules by their subject."""

    def of_ders(self) -> "QualificationQuerySet":
        """About DERs."""
        return self.filter(der__isnull=False)

    def of_aggregations(self) -> "QualificationQuerySet":
        """About aggregations."""
        return self.filter(aggregation__isnull=False)

    def of(self, subject) -> "QualificationQuerySet":
        """About one DER or one aggregation."""
        return self.filter(**{subject._meta.model_name: subject})
