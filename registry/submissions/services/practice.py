"""What a utility's review practice says: to whom a new review goes, and whether a file may set limits."""

from django.db.models import Count
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization, User
from registry.submissions.models import UtilityReview
from registry.utilities.models import ReviewPractice


def practice_of(edc: Organization) -> ReviewPractice:
    """The practice in force today; the default where the utility has set none."""
    return ReviewPractice.objects.on(timezone.localdate()).filter(edc=edc).first() or ReviewPractice(edc=edc)


def reviewer_for(edc: Organization) -> User | None:
    """The next of the utility's default reviewers: who has the fewest open reviews. None where there is none who still reviews."""
    chosen = practice_of(edc).reviewers
    people = list(policy.holders("review_ders", edc).filter(pk__in=chosen)) if chosen else []
    busy = UtilityReview.objects.undecided().filter(edc=edc, assigned_to__in=people)
    load = dict(busy.order_by().values_list("assigned_to").annotate(Count("pk")))
    return min(people, key=lambda person: (load.get(person.pk, 0), person.pk), default=None)
