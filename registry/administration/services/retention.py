"""Retention: what a utility's periods let go, removed in batches, with a record of each. Master records and history are never touched."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import DateTimeField, Exists, ExpressionWrapper, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import fetch_sql
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.rulesets.models import RuleSet
from registry.administration.services.rules import starting
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.utilities.models import Removal, RetentionPeriod

PERMISSION = "manage_utility"
BATCH = 200  # reviews of one transaction
DataClass = RetentionPeriod.DataClass
ENDED = (Submission.Status.COMPLETED, Submission.Status.WITHDRAWN)


@dataclass(frozen=True)
class Bounds:
    """The fewest and most days that the regulator allows, each with the row of the law that says so; None where none does."""

    least: RuleSet | None
    most: RuleSet | None


def bounds(edc: Organization, data_class: str) -> Bounds:
    """The rule set rows that bound a period, of the utility's regulator or of everybody."""
    regulators = list(edc.overseen_by.filter(overseer__kind="rerra").order_by("overseer__slug").values_list("overseer__slug", flat=True))

    def row(edge: str) -> RuleSet | None:
        try:
            return RuleSet.objects.row_of(f"retention_{edge}_days_{data_class}", timezone.localdate(), *regulators)
        except LookupError:
            return None

    return Bounds(row("least"), row("most"))


@transaction.atomic
def set_period(*, actor, edc: Organization, data_class: str, days: int, starts_on) -> RetentionPeriod:
    """Keep a class of data for so many days after a review was closed, from a day on. Raises UserError beyond the regulator's bounds."""
    policy.require(actor, PERMISSION, edc)
    require_within(edc, data_class, days)
    with acting(actor, f"Retention of {DataClass(data_class).label.lower()}: {days} days"):
        current = RetentionPeriod.objects.select_for_update().filter(edc=edc, data_class=data_class)
        for row in current.not_over(starting(starts_on)):
            row.valid_during = DateRange(row.valid_during.lower, max(row.valid_during.lower, starts_on))
            row.save(update_fields=["valid_during"])
        return RetentionPeriod.objects.create(edc=edc, data_class=data_class, days=days, valid_during=DateRange(starts_on, None))


def require_within(edc: Organization, data_class: str, days: int) -> None:
    """Raise UserError for a period that the regulator's rule sets do not allow."""
    found = bounds(edc, data_class)
    if found.least is not None and days < found.least.value:
        raise UserError(f"It must be kept at least {found.least.value} days.", f"{found.least.source}.", "RETENTION-LEAST")
    if found.most is not None and days > found.most.value:
        raise UserError(f"It may be kept at most {found.most.value} days.", f"{found.most.source}.", "RETENTION-MOST")


def expired(edc: Organization, days: int, now: datetime | None = None) -> QuerySet[UtilityReview]:
    """The utility's closed reviews of ended submissions that a period of so many days no longer covers."""
    before = (now or timezone.now()) - timedelta(days=days)
    return UtilityReview.objects.filter(edc=edc, closed_at__lt=before, submission__status__in=ENDED).order_by("closed_at", "pk")


def _held(data_class: str, reviews: QuerySet[UtilityReview], now: datetime) -> QuerySet:
    """What of a class the reviews still hold, and nobody else keeps."""
    edc, submissions = reviews.values("edc_id"), reviews.values("submission_id")
    if data_class == DataClass.FINDINGS:
        return Finding.objects.filter(submission__in=submissions, row__edc__in=edc)
    if data_class == DataClass.STAGED_ROWS:
        return StagedDer.objects.filter(submission__in=submissions, edc__in=edc)
    held = Document.objects.filter(removed_at=None)
    if data_class == DataClass.EVIDENCE:
        return _evidence(held.filter(kind=Document.Kind.EVIDENCE, owner__in=edc), reviews.order_by())
    free = reviews.filter(~Exists(_kept_by_others(now))).values("submission_id")
    files = Submission.history.model.objects.filter(id__in=free, document_id__isnull=False).order_by().values("document_id")
    in_use = Submission.objects.filter(document=OuterRef("pk")).exclude(status__in=ENDED)
    return held.filter(~Exists(in_use), kind=Document.Kind.UPLOAD, pk__in=files)


def _evidence(held: QuerySet[Document], reviews: QuerySet[UtilityReview]) -> QuerySet[Document]:
    """Evidence of the reviews in all its versions, but for what a review that is open or was closed later rests on too."""
    last = reviews.order_by("-closed_at").values("closed_at")[:1]
    decided = Decision.objects.annotate(series=Coalesce("evidence__first_id", "evidence_id"))
    longer = decided.exclude(review__in=reviews).filter(
        Q(review__closed_at=None) | Q(review__closed_at__gt=last), series=OuterRef("series")
    )
    mine = decided.filter(review__in=reviews, evidence__isnull=False).values("series")
    return held.annotate(series=Coalesce("first_id", "pk")).filter(~Exists(longer), series__in=mine)


def _kept_by_others(now: datetime) -> QuerySet[UtilityReview]:
    """Reviews of the same submission by utilities that still keep its file: it goes when the last of them lets it go."""
    ends = ExpressionWrapper(OuterRef("closed_at") + F("days") * Value(timedelta(days=1)), DateTimeField())
    over = RetentionPeriod.objects.on(timezone.localdate(now)).filter(edc=OuterRef("edc"), data_class=DataClass.UPLOADS)
    over = over.annotate(ends=ends).filter(ends__lt=now)
    return UtilityReview.objects.filter(submission=OuterRef("submission")).exclude(edc=OuterRef("edc")).filter(~Exists(over))


def preview(*, actor, edc: Organization, data_class: str, days: int) -> tuple[int, int]:
    """(reviews, things of the class) that a period of so many days would let go today."""
    policy.require(actor, PERMISSION, edc)
    reviews = expired(edc, days)
    held = _held(data_class, reviews.order_by(), timezone.now())
    return reviews.count(), held.count()


def enforce(now: datetime | None = None) -> int:
    """The beat's sweep: remove what the periods in force today no longer keep; returns how many things went. Idempotent."""
    now = now or timezone.now()
    periods = RetentionPeriod.objects.on(timezone.localdate(now)).select_related("edc").order_by("pk")
    return sum(_remove(period, pk, now) for period in periods for pk in _candidates(period, now))


def _candidates(period: RetentionPeriod, now: datetime) -> Iterator[int]:
    """The reviews to look at, in batches by key, so that a long sweep holds no long transaction."""
    gone = Removal.objects.filter(edc=period.edc, data_class=period.data_class, submission=OuterRef("submission__uuid"))
    rows, last = expired(period.edc, period.days, now).filter(~Exists(gone)).order_by("pk"), 0
    while keys := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:BATCH]):
        yield from keys
        last = keys[-1]


def _remove(period: RetentionPeriod, pk: int, now: datetime) -> int:
    """Remove one review's data of the period's class and write down how much; nothing where nothing is left."""
    review = UtilityReview.objects.filter(pk=pk)
    with acting(None, f"system: retention of {period.days} days, {period.get_data_class_display().lower()}"):
        held = _held(period.data_class, review, now)
        if period.data_class in (DataClass.UPLOADS, DataClass.EVIDENCE):
            removed = documents.remove_files(held)
        elif period.data_class == DataClass.FINDINGS:
            removed = held.delete()[0]
        else:
            where = review.values("submission_id", "edc_id").get()
            removed = fetch_sql("let_rows_go", {"submission": where["submission_id"], "edc": where["edc_id"]})[0][0]
        if removed:
            submission = review.values_list("submission__uuid", flat=True).get()
            Removal.objects.create(edc=period.edc, data_class=period.data_class, period=period, submission=submission, removed=removed)
    return removed
