"""What filings and reviews add to each role's home page."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.portal.queues import Work, queue
from registry.submissions import reports
from registry.submissions.models import Decision, Submission, UtilityReview

NEAR = timedelta(days=5)


def _submissions(user, permission: str, status: str):
    return Submission.objects.visible_to(user, permission).filter(status=status)


def _listed(status: str) -> str:
    return f"{reverse('registry:submission_list')}?status={status}"


@queue
def returned(user) -> Work | None:
    """Submissions that came back as incomplete."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = _submissions(user, "file_ders", Submission.Status.RETURNED)
    first = rows.order_by("resubmit_due_at").values_list("resubmit_due_at", flat=True).first()
    hint = f"The first must be mended by {reports.last_day(first)}." if first else "Mend them before they are withdrawn."
    return Work("Submissions returned as incomplete", _listed("returned"), rows.count(), hint, _is_near(first), order=10)


@queue
def asked(user) -> Work | None:
    """Requests for information that wait for an answer."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = reports.unanswered(Decision.objects.visible_to(user, "file_ders"))
    due = rows.order_by("review__due_at").values_list("review__due_at", "review__submission__uuid").first()
    url = reverse("registry:submission_detail", args=[due[1]]) if due else _listed("in_review")
    return Work("Requests for information", url, rows.count(), "A utility waits for your answer.", _is_near(due and due[0]), order=15)


@queue
def drafts_with_errors(user) -> Work | None:
    """Drafts with rows to mend."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = reports.with_errors(_submissions(user, "file_ders", Submission.Status.DRAFT))
    return Work("Drafts with errors", _listed("draft"), rows.count(), "Each finding says what to do.", order=20)


@queue
def drafts(user) -> Work | None:
    """Drafts that somebody may attest and submit."""
    if not policy.reach(user, "submit_ders"):
        return None
    count = _submissions(user, "submit_ders", Submission.Status.DRAFT).count()
    return Work("Drafts to submit", _listed("draft"), count, "Attest and submit them to the utilities.", order=25)


@queue
def reviews_due(user) -> Work | None:
    """Reviews that the user's utility has not closed."""
    if not policy.reach(user, "review_ders"):
        return None
    rows = UtilityReview.objects.visible_to(user, "review_ders").undecided()
    first = rows.order_by("due_at").values_list("due_at", flat=True).first()
    hint = f"The first is due on {reports.last_day(first)}." if first else "Nothing is due."
    return Work("Reviews to decide", reverse("registry:review_list"), rows.count(), hint, _is_near(first), order=10)


@queue
def denials(user) -> Work | None:
    """Denials that another person proposed."""
    if not policy.reach(user, "confirm_denials"):
        return None
    rows = Decision.objects.visible_to(user, "confirm_denials").filter(status=Decision.Status.PROPOSED).exclude(decided_by=user)
    first = rows.order_by("review__due_at").values_list("review__due_at", "review__uuid").first()
    url = reverse("registry:review_detail", args=[first[1]]) if first else reverse("registry:review_list")
    return Work("Denials to confirm", url, rows.count(), "A second person confirms a denial.", _is_near(first and first[0]), order=15)


@queue
def escalated(user) -> Work | None:
    """Reviews whose clock has expired, for those who oversee."""
    if not policy.allows(user, "audit"):
        return None
    rows = UtilityReview.objects.visible_to(user, "audit").filter(status=UtilityReview.Status.ESCALATED)
    count = rows.count()
    return Work("Reviews past their clock", f"{reverse('registry:review_list')}?status=escalated", count, urgent=bool(count), order=30)


def _is_near(moment) -> bool:
    return moment is not None and moment - timezone.now() < NEAR
