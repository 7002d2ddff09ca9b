"""What may be disputed, and for how long: asked of filed rows or of reviews (Order 2222 ¶299)."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Now
from django.utils import timezone

from moc import rules
from moc.access.models import Organization
from moc.intervals import day_bounds
from moc.rulesets.law import Law
from registry.prequalification.models import QualificationOverride
from registry.submissions.models import StagedDer, UtilityReview
from settlement.disputes.models import Dispute

CITES = "FERC Order 2222 ¶299"
ENDED = (StagedDer.Status.DENIED, StagedDer.Status.APPROVED_LIMITED)


def window_opened(now: datetime, days: int) -> datetime:
    """The beginning of the earliest day whose decisions `days` business days have not run out for."""
    day = timezone.localdate(now)
    while days:
        day -= timedelta(days=1)
        days -= day.weekday() < 5
    return day_bounds(day, settings.TIME_ZONE)[0]


@rules.rule("DISPUTE-UNDECIDED", remedy="Wait for the utility's decision.", columns=("status",), cites=CITES)
def undecided(subjects: QuerySet) -> QuerySet:
    """Only a denial, an approval with limits, a review whose clock has expired, or an override that bars and stands is disputed."""
    if subjects.model is QualificationOverride:
        return subjects.filter(Q(eligible=True) | Q(ended_at__isnull=False))
    if subjects.model is StagedDer:
        return subjects.exclude(status__in=ENDED)
    ended = StagedDer.objects.filter(submission=OuterRef("submission"), edc=OuterRef("edc"), status__in=ENDED)
    return subjects.filter(~Exists(ended)).exclude(status=UtilityReview.Status.ESCALATED)


@rules.rule("DISPUTE-LATE", remedy="File the DERs again; what they lacked can be mended.", columns=(), cites=CITES)
def late(subjects: QuerySet) -> QuerySet:
    """The days in which the decision could be disputed are over."""
    if subjects.model is StagedDer:
        decided = Coalesce("decision__confirmed_at", "decision__decided_at")
    elif subjects.model is QualificationOverride:
        decided = F("made_at")
    else:
        decided = Coalesce("closed_at", "escalated_at", Now())
    over = Q(pk__in=[])
    for edc, cutoff in _cutoffs(subjects).items():
        over |= Q(edc=edc, decided_on__lt=cutoff)
    return subjects.annotate(decided_on=decided).filter(over)


def _cutoffs(subjects: QuerySet) -> dict[int, datetime]:
    """Utility → the moment before which a decision is too old, by the law of its RTO."""
    now, law = timezone.now(), Law.on(timezone.localdate())
    edcs = Organization.objects.filter(pk__in=subjects.order_by().values("edc")).select_related("utility__tso")
    return {edc.pk: window_opened(now, law.value("dispute_open_business_days", market_of(edc))) for edc in edcs}


def market_of(edc: Organization) -> str:
    """The slug of the utility's RTO; empty where it has none."""
    profile = getattr(edc, "utility", None)
    return profile.tso.slug if profile and profile.tso else ""


@rules.rule("DISPUTE-STANDING", remedy="Go on in that dispute.", columns=(), cites=CITES)
def standing(subjects: QuerySet) -> QuerySet:
    """A dispute over it stands already."""
    key = {StagedDer: "row", UtilityReview: "review", QualificationOverride: "override"}[subjects.model]
    return subjects.filter(Exists(Dispute.objects.standing().filter(**{key: OuterRef("pk")})))


RULES = (undecided, standing, late)
