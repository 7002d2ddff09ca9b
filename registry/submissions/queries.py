"""Which filed rows, findings and reviews."""

from django.db.models import Count, Exists, OuterRef, Q

from moc.access.queries import ScopedQuerySet
from moc.rules import ERROR


class StagedDerQuerySet(ScopedQuerySet):
    """Filed rows by their findings and their part in a review."""

    def _errors(self) -> Exists:
        findings = self.model._meta.get_field("findings").related_model
        return Exists(findings.objects.filter(row=OuterRef("pk"), severity=ERROR))

    def good(self) -> "StagedDerQuerySet":
        """Rows without errors."""
        return self.filter(~self._errors())

    def bad(self) -> "StagedDerQuerySet":
        """Rows with at least one error."""
        return self.filter(self._errors())

    def to_review(self) -> "StagedDerQuerySet":
        """Rows that a utility must decide: they differ from the record."""
        return self.exclude(change="unchanged")

    def of_review(self, review) -> "StagedDerQuerySet":
        """The rows of one utility's review."""
        return self.filter(submission_id=review.submission_id, edc_id=review.edc_id).to_review()


class FindingQuerySet(ScopedQuerySet):
    """Findings of a submission."""

    def errors(self) -> "FindingQuerySet":
        return self.filter(severity=ERROR)

    def counts_by_rule(self):
        """[(code, severity, findings, rows)], most frequent first."""
        return (
            self.order_by()
            .values_list("code", "severity")
            .annotate(Count("id"), Count("row_id", distinct=True))
            .order_by("-id__count", "code")
        )


class ReviewQuerySet(ScopedQuerySet):
    """A utility's queue."""

    def undecided(self) -> "ReviewQuerySet":
        """Not closed."""
        return self.exclude(status="closed")

    def overdue(self, now) -> "ReviewQuerySet":
        """The clock has expired and nobody was told yet."""
        return self.filter(due_at__lte=now, escalated_at__isnull=True, paused_at__isnull=True).filter(~Q(status="closed"))
