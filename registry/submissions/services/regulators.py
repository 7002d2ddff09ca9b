"""A regulator's voluntary part in reviews (¶322): off unless its own rule set says otherwise, and never a veto."""

from django.utils import timezone

from moc.access.models import Oversight
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.submissions.models import UtilityReview

KEY, NOTIFIED = "rerra_involvement", "notified"


def tell_of(review: UtilityReview) -> int:
    """Tell the regulators of the review's utility that asked to be notified; returns how many."""
    told, today = 0, timezone.localdate()
    for oversight in Oversight.objects.filter(overseen=review.edc, overseer__kind="rerra").select_related("overseer"):
        regulator = oversight.overseer
        if RuleSet.objects.value_of(KEY, today, regulator.slug) == NOTIFIED:
            subject = f"{review.edc} reviews {counted(review.row_count, 'DERs')} of {review.aggregator}"
            tell(regulator, "audit", event="review_of_overseen", subject=subject, url=f"/registry/reviews/{review.uuid}/", review=review)
            told += 1
    return told
