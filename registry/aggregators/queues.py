"""What registrations add to each role's home page."""

from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from moc.access import policy
from moc.access.models import Organization
from moc.portal.queues import Work, queue
from registry.aggregators.models import AggregatorRegistration, Certification

NEEDS = ("uuid", "aggregator__name")
ENTRY = "registry:aggregator_list"


def _registration(row: dict) -> tuple[str, str]:
    return row["aggregator__name"], reverse("registry:aggregator_detail", args=[row["uuid"]])


@queue
def to_review(user) -> Work | None:
    """Registrations that wait for the user's regulator."""
    if not policy.reach(user, "admit_aggregators"):
        return None
    rows = AggregatorRegistration.objects.visible_to(user, "admit_aggregators").filter(status="submitted")
    url, hint = f"{reverse(ENTRY)}?status=submitted", "Register them, or return them with a reason."
    return Work("Registrations of aggregators to review", url, rows, hint, 20, needs=NEEDS, item=_registration, entry=ENTRY)


@queue
def to_complete(user) -> Work | None:
    """The user's aggregators that are not registered yet."""
    mine = policy.reach(user, "register_aggregator")
    if not mine:
        return None
    open_ = Q(registration=None) | Q(registration__status__in=["draft", "returned"])
    rows = Organization.objects.filter(open_, pk__in=mine, kind=Organization.Kind.AGGREGATOR, is_active=True)
    url, hint = reverse(ENTRY), "Nothing can be filed before the regulator has registered you."
    return Work("Registration to complete", url, rows, hint, 3, needs=("name",), item=lambda row: (row["name"], url), entry=ENTRY)


@queue
def to_renew(user) -> Work | None:
    """Certifications that expire soon, of which none is newer."""
    if not policy.reach(user, "file_ders"):
        return None
    newer = Certification.objects.standing().filter(
        aggregator=OuterRef("aggregator"), kind=OuterRef("kind"), expires_on__gt=OuterRef("expires_on")
    )
    rows = Certification.objects.visible_to(user, "file_ders").standing().filter(~Exists(newer), warned_days__isnull=False)
    needs, hint = ("kind", "aggregator__registration__uuid"), "Nothing can be filed after the last day."
    return Work("Certifications to renew", reverse(ENTRY), rows, hint, 4, "expires_on", needs, _certification, ENTRY)


def _certification(row: dict) -> tuple[str, str]:
    return Certification.Kind(row["kind"]).label, reverse("registry:aggregator_detail", args=[row["aggregator__registration__uuid"]])
