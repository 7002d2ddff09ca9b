"""Whoever writes takes locks in one order, so that nobody waits in a circle.

reviews (by id) → decisions → submission, while it is being read or drafted → the aggregator's tenures (registry.ders.services.hold)
→ filed rows → owners → DERs (each by their keys) → the look-out for doubles (overtaken.py) → submission, when its last review closes

A submission has no review while it is drafted, so the two places of the submission never meet: a decision takes it last, and what
takes it first finds no review, or gives up (withdrawing.py).
"""

from moc.errors import Conflict
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview


def submission_of(submission: Submission) -> Submission:
    """The submission as it stands, until the transaction ends."""
    return Submission.objects.select_for_update(of=("self",)).select_related("aggregator", "job").get(pk=submission.pk)


def whole_of(submission: Submission) -> Submission:
    """The submission as it stands with all its reviews, for what ends them together."""
    list(UtilityReview.objects.select_for_update(of=("self",)).filter(submission=submission).order_by("pk"))
    return submission_of(submission)


def row_of(submission: Submission, row: StagedDer) -> StagedDer:
    """A row of a locked submission as it stands, until the transaction ends."""
    found = StagedDer.objects.select_for_update(of=("self",)).filter(pk=row.pk, submission=submission).first()
    if found is None:
        raise Conflict("The row was removed, or belongs to another filing, meanwhile.", "Reload the submission.")
    return found


def review_of(review: UtilityReview) -> UtilityReview:
    """An open review: writers of one wait for each other, so of two people who decide the same rows one wins and the other is told."""
    found = UtilityReview.objects.select_for_update(of=("self",)).select_related("submission", "edc", "aggregator").get(pk=review.pk)
    if found.status == UtilityReview.Status.CLOSED:
        raise Conflict("This review is closed.", "Reload the page.")
    return found


def decision_of(decision: Decision) -> Decision:
    """A decision of an open review, both locked."""
    review = review_of(decision.review)
    found = Decision.objects.select_for_update(of=("self",)).get(pk=decision.pk)
    found.review = review
    return found
