"""What is true of filings at any moment that anybody can see."""

from registry.ders.models import Der
from registry.submissions.models import Decision, StagedDer, Submission, UtilityReview


def whole() -> None:
    """Nothing is half-written: rows, decisions, records and history agree."""
    approved = StagedDer.objects.filter(status__startswith="approved")
    assert Der.objects.count() == Der.history.count() == approved.count()
    assert sum(Decision.objects.filter(kind="approve").values_list("row_count", flat=True)) == approved.count()
    for review in UtilityReview.objects.all():
        is_open = StagedDer.objects.of_review(review).filter(status__in=StagedDer.OPEN).exists()
        assert is_open == (review.status != "closed"), review.status
    for submission in Submission.objects.filter(status__in=["in_review", "completed"]):
        assert submission.reviews.undecided().exists() == (submission.status == "in_review")
