"""What of a submitted filing takes a utility's review, what only a notice, and what is reviewed beside it (Order 2222 ¶336)."""

from django.db.models import Max, Q, Value
from django.db.models.expressions import Window
from django.db.models.functions import RowNumber
from django.utils import timezone
from psycopg import sql

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import insert_select, run_sql
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.aggregations.models import AggregationMember
from registry.ders.models import Der, DerFacts
from registry.submissions.kinds import MEMBERSHIP, NOTICE_FIELDS, OWNER_CONTACT, REVIEW_SCOPE, TERMS
from registry.submissions.models import StagedDer, Submission, UtilityReview
from registry.submissions.services import locks

Change, Scope = StagedDer.Change, UtilityReview.Scope
FACTS = [field.column for field in DerFacts._meta.get_fields()]


def market_of(edc: Organization) -> str:
    """The market whose rule set rows hold for a utility's reviews; empty: the default ones."""
    return edc.utility.tso.slug if edc.utility.tso else ""


def classify(submission: Submission) -> None:
    """Mark the rows that are a notice only, by each utility's market; a filing that moves statuses is one as a whole."""
    rows = StagedDer.objects.filter(submission=submission)
    if TERMS[submission.kind].notice:
        rows.filter(change=Change.UNCHANGED).update(change=Change.NOTICE)
        return
    if submission.kind in MEMBERSHIP:  # what changes is who is a member
        return
    changed = rows.filter(change=Change.CHANGED).order_by().values_list("edc", flat=True).distinct()
    for edc in Organization.objects.select_related("utility__tso").filter(pk__in=changed):
        fields = set(RuleSet.objects.value_of(NOTICE_FIELDS, timezone.localdate(), market_of(edc)))
        heeded = [name for name in FACTS if name not in fields]
        comma = sql.SQL(", ")
        run_sql(
            "notice_only",
            {"submission": submission.pk, "edc": edc.pk},
            filed=comma.join(sql.Identifier("s", name) for name in heeded),
            registered=comma.join(sql.Identifier("d", name) for name in heeded),
            owner=sql.Identifier("account_index" if OWNER_CONTACT in fields else "digest"),
        )


def first_scope(submission: Submission, edc: Organization) -> str:
    """What a review of a change starts with, by the market's rule set."""
    known = StagedDer.objects.filter(submission=submission, edc=edc, change=Change.CHANGED)
    if not known.exists():
        return Scope.CHANGED
    return Scope(RuleSet.objects.value_of(REVIEW_SCOPE, timezone.localdate(), market_of(edc)))


def widen(*, actor, review: UtilityReview, reason: str) -> int:
    """Review all DERs of the aggregations that a change touches, not only the changed ones; returns how many came to it.

    They keep operating meanwhile, as registered. Raises UserError without a reason, Conflict when there is nothing more to review.
    """
    policy.require(actor, "review_ders", review.edc)
    if not reason.strip():
        raise UserError("A wider review needs a reason.", "Say what the change affects beyond the changed DERs.", "REASON")
    with acting(actor, reason.strip()):
        review = locks.review_of(review)
        if review.scope == Scope.AGGREGATIONS:
            raise Conflict("This review has the wider scope already.", "Reload the page.", "SCOPE")
        number = add_neighbours(review)
        if not number:
            raise Conflict(
                "The changed DERs share no aggregation with others at this utility.", "Decide the changed DERs.", "SCOPE-NOTHING-MORE"
            )
        review.scope, review.scope_reason = Scope.AGGREGATIONS, reason.strip()[:300]
        review.save(update_fields=["scope", "scope_reason"])
        tell(
            review.aggregator,
            "file_ders",
            event="review_widened",
            subject=f"{review.edc} reviews {counted(number, 'more DERs')} of {review.submission.title}",
            url=f"/registry/submissions/{review.submission.uuid}/",
            review=review,
            number=number,
            reason=reason.strip(),
        )
    return number


def add_neighbours(review: UtilityReview) -> int:
    """Stage the unchanged DERs of the aggregations in which the review's DERs are members today, in one statement."""
    rows = StagedDer.objects.filter(submission=review.submission_id)
    today, mine = timezone.localdate(), rows.filter(edc=review.edc_id, der__isnull=False).exclude(change=Change.UNCHANGED)
    touched = AggregationMember.objects.on(today).filter(der__in=mine.values("der")).order_by().values("aggregation")
    same = Q(aggregation__in=touched) | Q(aggregation=review.submission.aggregation_id)
    members = AggregationMember.objects.on(today).filter(same).order_by().values("der")
    ders = Der.objects.registered().filter(pk__in=members, edc=review.edc_id, aggregator=review.aggregator_id)
    number = stage(review.submission, ders.exclude(pk__in=rows.filter(der__isnull=False).values("der")), Change.IN_SCOPE)
    if number:
        review.row_count += number
        UtilityReview.objects.filter(pk=review.pk).update(row_count=review.row_count)
        Submission.objects.filter(pk=review.submission_id).update(row_count=rows.count())
    return number


def stage(submission: Submission, ders, change: str, values: dict[str, object] | None = None) -> int:
    """Stage registered DERs as rows at the end of a submission: as they are registered, but for `values`. Returns how many."""
    top = StagedDer.objects.filter(submission=submission).aggregate(top=Max("row_number"))["top"] or 0
    given = {name: Value(value, output_field=StagedDer._meta.get_field(name)) for name, value in (values or {}).items()}
    row = {
        "submission_id": Value(submission.pk),
        "row_number": Window(RowNumber(), order_by="pk") + top,
        "status": Value(str(StagedDer.Status.PENDING)),
        "change": Value(str(change)),
        "aggregator_id": "aggregator_id",
        "utility_id_eia": "edc__utility__eia_id",
        "usage_point_id": "service_point__usage_point_id",
        "county_fips": Value(""),
        "edc_id": "edc_id",
        "service_point_id": "service_point_id",
        "der_id": "pk",
    } | {name: given.get(name, name) for name in FACTS}
    return insert_select("registry_stagedder", row, [ders.order_by().values_list(*row.values())])
