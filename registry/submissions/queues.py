"""What filings and reviews add to each role's home page."""

from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.portal.queues import Work, queue
from registry.submissions import reports
from registry.submissions.involvement import RegulatorPart
from registry.submissions.membership import MemberValidation
from registry.submissions.models import Decision, Submission, UtilityReview
from registry.submissions.switching import SwitchNotice

SUBMISSIONS, REVIEWS = "registry:submission_list", "registry:review_list"


def _submissions(user, permission: str, status: str):
    return Submission.objects.visible_to(user, permission).filter(status=status)


def _filing(label: str, status: str, rows, hint: str, order: int, due: str = "") -> Work:
    """A queue of submissions in one status."""
    url, needs = f"{reverse(SUBMISSIONS)}?status={status}", ("uuid", "title")
    return Work(label, url, rows, hint, order, due, needs, _submission, SUBMISSIONS)


def _submission(row: dict) -> tuple[str, str]:
    return row["title"], reverse("registry:submission_detail", args=[row["uuid"]])


@queue
def returned(user) -> Work | None:
    """Submissions that came back as incomplete."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = _submissions(user, "file_ders", Submission.Status.RETURNED)
    label, hint = "Submissions returned as incomplete", "Mend them before they are withdrawn."
    return _filing(label, "returned", rows, hint, 10, "resubmit_due_at")


@queue
def switched(user) -> Work | None:
    """Customers who switch to another aggregator, while one may object."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = SwitchNotice.objects.filter(former__in=policy.reach(user, "file_ders"), status="open", due_at__gt=timezone.now())
    return Work(
        "Switches to answer",
        reverse("registry:switch_list"),
        rows,
        "Agree, or object on a ground of the closed list.",
        12,
        "due_at",
        ("uuid", "aggregator__name"),
        lambda row: (f"to {row['aggregator__name']}", reverse("registry:switch", args=[row["uuid"]])),
        SUBMISSIONS,
    )


@queue
def asked(user) -> Work | None:
    """Requests for information that wait for an answer."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = reports.unanswered(Decision.objects.visible_to(user, "file_ders"))
    needs = ("review__submission__uuid", "review__submission__title", "review__edc__name")
    return Work(
        "Requests for information",
        f"{reverse(SUBMISSIONS)}?status=in_review",
        rows,
        "A utility waits for your answer.",
        15,
        "review__due_at",
        needs,
        lambda row: (f"{row[needs[1]]}, asked by {row[needs[2]]}", reverse("registry:submission_detail", args=[row[needs[0]]])),
        SUBMISSIONS,
    )


@queue
def drafts_with_errors(user) -> Work | None:
    """Drafts with rows to mend."""
    if not policy.reach(user, "file_ders"):
        return None
    rows = reports.with_errors(_submissions(user, "file_ders", Submission.Status.DRAFT))
    return _filing("Drafts with errors", "draft", rows, "Each finding says what to do.", 20)


@queue
def drafts(user) -> Work | None:
    """Drafts that somebody may attest and submit."""
    if not policy.reach(user, "submit_ders"):
        return None
    rows = _submissions(user, "submit_ders", Submission.Status.DRAFT)
    return _filing("Drafts to submit", "draft", rows, "Attest and submit them to the utilities.", 25)


@queue
def members_to_validate(user) -> Work | None:
    """DERs that join aggregations of the user's RTO, which validates them."""
    if not policy.reach(user, "validate_aggregations"):
        return None
    rows = MemberValidation.objects.visible_to(user, "validate_aggregations").filter(status=MemberValidation.Status.OPEN)
    return Work(
        "DERs that join, to validate",
        reverse("registry:member_validation_list"),
        rows,
        "The members of today go on.",
        12,
        "due_at",
        ("uuid", "aggregation__name", "aggregator__name"),
        lambda row: (f"{row['aggregation__name']}, {row['aggregator__name']}", reverse("registry:member_validation", args=[row["uuid"]])),
        "registry:aggregation_list",
    )


@queue
def regulator_says(user) -> Work | None:
    """Reviews of which the user's authority may say something, until a day."""
    reach = policy.reach(user, "override_qualification") & policy.reach(user, "admit_aggregators")  # a regulator's own people
    if not reach:
        return None
    rows = RegulatorPart.objects.filter(rerra__in=reach, status=RegulatorPart.Status.OPEN, due_at__gt=timezone.now())
    needs = ("uuid", "text", "edc__name")
    return Work(
        "Reviews to comment on, or to decide a question of",
        reverse(REVIEWS),
        rows,
        "The review does not wait longer than your days.",
        20,
        "due_at",
        needs,
        lambda row: (f"{row['text']} ({row['edc__name']})", reverse("registry:regulator_answer", args=[row["uuid"]])),
        REVIEWS,
    )


def _review(row: dict) -> tuple[str, str]:
    return f"{row['submission__title']}, {row['aggregator__name']}", reverse("registry:review_detail", args=[row["uuid"]])


@queue
def reviews_due(user) -> Work | None:
    """Reviews that the user's utility has not closed."""
    if not policy.reach(user, "review_ders"):
        return None
    rows = UtilityReview.objects.visible_to(user, "review_ders").undecided()
    needs = ("uuid", "submission__title", "aggregator__name")
    return Work("Reviews to decide", reverse(REVIEWS), rows, "", 10, "due_at", needs, _review, REVIEWS)


@queue
def denials(user) -> Work | None:
    """Denials that another person proposed."""
    if not policy.reach(user, "confirm_denials"):
        return None
    rows = Decision.objects.visible_to(user, "confirm_denials").filter(status=Decision.Status.PROPOSED).exclude(decided_by=user)
    needs = ("review__uuid", "review__submission__title")
    return Work(
        "Denials to confirm",
        reverse(REVIEWS),
        rows,
        "A second person confirms a denial.",
        15,
        "review__due_at",
        needs,
        lambda row: (row[needs[1]], reverse("registry:review_detail", args=[row[needs[0]]])),
        REVIEWS,
    )


@queue
def escalated(user) -> Work | None:
    """Reviews whose clock has expired, for those who oversee."""
    if not policy.allows(user, "audit") or policy.reach(user, "review_ders"):
        return None
    rows = UtilityReview.objects.visible_to(user, "audit").filter(status=UtilityReview.Status.ESCALATED)
    needs = ("uuid", "submission__title", "aggregator__name")
    url = f"{reverse(REVIEWS)}?status=escalated"
    return Work("Reviews past their clock", url, rows, "The utility has not decided in time.", 30, "due_at", needs, _review, REVIEWS)
