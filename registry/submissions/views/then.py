"""A review as it was recorded at a past moment: its clock, the decisions on it and what regulators had said, without a move."""

from django.utils.functional import cached_property

from moc.access import policy
from moc.portal import Detail
from registry.submissions import reports
from registry.submissions.involvement import RegulatorPart
from registry.submissions.models import Decision, UtilityReview

SHOWN = 50


class ReviewThen(Detail):
    """The page of ReviewDetail when a past moment is asked for. The rows of a filing keep no versions: the decisions tell how many."""

    model = UtilityReview
    template_name = "registry/reviews/then.html"
    keeps_versions = True
    related = ("submission", "edc", "aggregator", "clock_rule")
    parents = (("Reviews", "registry:review_list"),)

    def get_title(self) -> str:
        return self.object.submission.title

    def facts(self) -> list:
        one = self.object
        told = [
            ("Aggregator", one.aggregator.name),
            ("Utility", one.edc.name),
            ("DERs", one.row_count),
            ("Scope", one.get_scope_display()),
            ("Why it was widened", one.scope_reason),
            ("Started", one.started_at),
            ("Due on", reports.last_day(one.due_at)),
            ("Clock stands since", one.paused_at),
            ("Escalated", one.escalated_at),
            ("Closed", one.closed_at),
            ("The clock's rule", f"{one.clock_rule.value} {one.clock_rule.unit}: {one.clock_rule.source}"),
        ]
        return [("Review", [(label, value, None, None) for label, value in told])]

    @cached_property
    def decisions(self) -> list:
        """The decisions as they stood, newest first."""
        rows = self._standing(Decision).select_related("review", "decided_by", "confirmed_by", "evidence")
        return list(rows.order_by("-decided_at", "-id")[:SHOWN])

    def _standing(self, model):
        """What belonged to the review then, within the scope."""
        return policy.scope(model.history.model.objects.as_of(self.moment), self.request.user).filter(review=self.object.id)

    def get_context_data(self, **kwargs) -> dict:
        review, user = self.object, self.request.user
        parts = [version.instance for version in self._standing(RegulatorPart).select_related("rerra").order_by("id")]
        names = policy.allows(user, "review_ders", review.edc) or policy.allows(user, "audit", review.edc)
        return super().get_context_data(**{"decisions": self.decisions, "parts": parts, "names": names} | kwargs)
