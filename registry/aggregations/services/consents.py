"""What becomes of members whose owners no longer consent: they leave that day, and everybody concerned is told (¶270)."""

from django.db.models import Count, Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone

from moc.access.models import User
from moc.history import acting
from moc.notices.services import notify, tell
from moc.units import counted
from registry.aggregations.models import Aggregation, AggregationMember
from registry.customers.models import OwnerAccount
from registry.participants.models import Consent

REASON = "system: the owner's consent to offer the DER in markets was revoked or has expired"
EVENT = "consent_ended"


def end_without_consent() -> int:
    """End the memberships of DERs whose owners consented once and do no longer; returns how many DERs left. Idempotent."""
    today = timezone.localdate()
    with acting(None, REASON):
        keys = list(without_consent(today).select_for_update(of=("self",)).values_list("pk", flat=True))
        rows = AggregationMember.objects.filter(pk__in=keys)
        parts = list(rows.order_by().values_list("aggregation").annotate(Count("der", distinct=True)))
        owners = list(rows.order_by().values_list("der__owner", flat=True).distinct())
        ders = rows.order_by().values("der").distinct().count()
        rows.end(today)
        touched = Aggregation.objects.filter(pk__in=[pk for pk, _ in parts])
        touched.filter(stated_on__isnull=False, restate_since=None).update(restate_since=today)
        _tell(touched, dict(parts), owners)
    return ders


def without_consent(day) -> QuerySet[AggregationMember]:
    """Memberships of the day or later whose owner's consent to markets has ended; without one on record the attestation stands for it."""
    given = Consent.objects.filter(owner=OuterRef("der__owner"), aggregator=OuterRef("aggregator"), scopes__contains=[Consent.Scope.MARKET])
    return AggregationMember.objects.not_over(day).filter(Exists(given), ~Exists(given.on(day))).order_by("pk")


def _tell(aggregations: QuerySet[Aggregation], numbers: dict[int, int], owners: list[int]) -> None:
    for aggregation in aggregations.select_related("aggregator", "tso"):
        subject = f"{counted(numbers[aggregation.pk], 'DERs')} left {aggregation}: their owners no longer consent"
        url = reverse("registry:aggregation_members", args=[aggregation.uuid])
        for party, permission in ((aggregation.aggregator, "file_ders"), (aggregation.tso, "validate_aggregations")):
            if party is not None:
                tell(party, permission, event=EVENT, subject=subject, url=url)
    people = User.objects.filter(pk__in=OwnerAccount.objects.filter(owner__in=owners).values("user"), is_active=True)
    subject = "Your energy resources are offered in no market any more"
    body = "Your consent to it was revoked, or has expired. They stay registered; a new consent lets them be offered again."
    notify(people, event=EVENT, subject=subject, body=body, url=reverse("registry:my"))
