"""DERs join and leave registered aggregations: filed as a draft, reviewed for what changes only, effective with the decision (¶336)."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from moc.access import policy
from moc.bulk import refresh, run_sql
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.intervals import end_of_day_after
from moc.jobs import services as jobs
from moc.jobs.models import Job
from moc.jobs.services import Cancelled, Progress
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from moc.units import counted
from registry.aggregations.models import Aggregation
from registry.aggregations.services import membership
from registry.ders.models import Der
from registry.submissions.kinds import MEMBER_VALIDATION, MEMBERSHIP, Kind
from registry.submissions.membership import MemberValidation, StagedMember
from registry.submissions.models import Decision, StagedDer, Submission
from registry.submissions.reports import last_day
from registry.submissions.services import classifying, locks, member_rows, staging

VALIDATES = "validates"
APPROVED = (StagedDer.Status.APPROVED, StagedDer.Status.APPROVED_LIMITED, StagedDer.Status.DEEMED_APPROVED)


def start(
    *,
    actor,
    aggregation: Aggregation,
    kind: str,
    ders: QuerySet[Der] | Iterable[str],
    terms: membership.Terms,
    reason: str,
    only_good: bool = False,
    source: str = Submission.Source.FORM,
) -> Submission:
    """A draft that adds DERs to a registered aggregation, or drops them from it; submitted as any other.

    `ders` and `terms` as for membership.add and .drop. Raises MembersRefused for rows with errors, UserError without a reason.
    """
    _require(kind, reason)
    with membership.holding(actor, aggregation, reason.strip()) as held:
        _require_registered(held)
        membership.choose(held, ders, terms, leaving=kind == Kind.DROP)
        outcome = membership.judge(held, leaving=kind == Kind.DROP, only_good=only_good)
        submission = _made(held, kind, reason, created_by=actor, source=source)
        _stage(submission, outcome)
    submission.refresh_from_db()
    return submission


def receive_file(
    *, actor, aggregation: Aggregation, kind: str, upload, reason: str, only_good: bool = False, source: str = Submission.Source.FILE
) -> Submission:
    """Keep a file of members and have it read into a draft; returns the submission, whose `job` shows progress."""
    policy.require(actor, "file_ders", aggregation.aggregator)
    _require(kind, reason)
    _require_registered(aggregation)
    with acting(actor, f"Uploaded {upload.name}"):
        document = store(actor=actor, owner=aggregation.aggregator, kind=Document.Kind.UPLOAD, upload=upload)
        said = {"created_by": actor, "source": source, "document": document, "status": Submission.Status.STAGING}
        submission = _made(aggregation, kind, reason, sheet={"only_good": only_good}, **said)
        task = "registry.submissions.tasks.stage"
        submission.job = jobs.enqueue(actor=actor, task=task, title=f"Reading {document.name}", submission=submission.pk)
        submission.save(update_fields=["job"])
    submission.refresh_from_db()
    return submission


def stage_file(submission: Submission, progress: Progress) -> dict:
    """Read the submission's file of members; one transaction. Returns what was found, kept as the job's outcome.

    Raises readers.FileRefused, MembersRefused or Cancelled; they leave nothing behind.
    """
    actor, document = submission.job.actor, submission.document
    leaving = submission.kind == Kind.DROP
    refresh(staging.MET)
    with membership.holding(actor, submission.aggregation, f"Read {document.name}") as held:
        membership.read(held, document, leaving=leaving, progress=progress)
        outcome = membership.judge(held, leaving=leaving, only_good=submission.sheet["only_good"])
        _stage(submission, outcome)
        if locks.submission_of(submission).status != Submission.Status.STAGING:
            raise Cancelled  # withdrawn meanwhile
        reason = f"system: read {outcome.rows:,} rows of {document.name}"
        Submission.lifecycle.move(Submission.objects.filter(pk=submission.pk), "staged", actor=None, reason=reason)
        found = staging.summary(submission)
        Job.objects.filter(pk=submission.job_id).update(outcome=found)
    return found


def _require(kind: str, reason: str) -> None:
    if kind not in MEMBERSHIP:
        raise UserError("This is no change of members.", f"Choose one of {', '.join(MEMBERSHIP)}.", "CHANGE-KIND")
    if not reason.strip():
        raise UserError("A change needs a reason.", "Say why in a sentence.", "REASON")


def _require_registered(aggregation: Aggregation) -> None:
    if aggregation.status not in membership.REGISTERED:
        raise Conflict(
            "Only of a registered aggregation members join and leave by a filing.", "Add or drop them on its own page.", "MEMBERS-FREE"
        )


def _made(held: Aggregation, kind: str, reason: str, **facts) -> Submission:
    return Submission.objects.create(
        aggregator_id=held.aggregator_id,
        aggregation=held,
        kind=kind,
        title=f"{Kind(kind).label.replace('an aggregation', str(held))}"[:200],
        reason=reason.strip()[:300],
        **facts,
    )


def _stage(submission: Submission, outcome: membership.Outcome) -> None:
    """The good rows, as rows of the filing with their owners; what was left out stays told."""
    run_sql("member_stage", {"submission": submission.pk, "aggregator": submission.aggregator_id})
    ders = Der.objects.filter(pk__in=StagedMember.objects.filter(submission=submission).order_by().values("der"))
    classifying.stage(submission, ders, StagedDer.Change.CHANGED)
    run_sql("keep_owners", {"submission": submission.pk, "offset": 0})
    submission.sheet = {"left_out": outcome.told()} if outcome.bad else {}
    submission.save(update_fields=["sheet"])
    staging.check(submission)


def handed_in(submission: Submission) -> None:
    """The utilities that review see the aggregation; inside acting()."""
    run_sql("member_utilities", {"submission": submission.pk, "aggregation": submission.aggregation_id})


def carry_out(decision: Decision) -> None:
    """The approved rows of a decision are effective at once, unless the RTO validates first; inside acting()."""
    submission = decision.review.submission
    if not waits_for_rto(submission):
        take_effect(submission, decision=decision)


def waits_for_rto(submission: Submission) -> bool:
    """Whether a row of the law of the aggregation's market has the RTO validate who joins. Who leaves is a notice to it."""
    tso = submission.aggregation.tso
    if submission.kind == Kind.DROP or tso is None:
        return False
    return RuleSet.objects.value_of(MEMBER_VALIDATION, timezone.localdate(), tso.slug) == VALIDATES


def take_effect(submission: Submission, *, decision: Decision | None = None) -> int:
    """Approved rows join or leave from the day that was filed, or today where it has passed; inside acting(). Returns memberships.

    Raises Conflict where some cannot join any more; those that have left meanwhile need not leave again.
    """
    leaving = submission.kind == Kind.DROP
    held = Aggregation.objects.select_for_update(of=("self",)).select_related("tso").get(pk=submission.aggregation_id)
    if held.status not in membership.REGISTERED:
        raise Conflict(f"The aggregation is {held.get_status_display().lower()}.", "Deny these rows.", "MEMBERS-FREE")
    member_rows.lay(submission, statuses=APPROVED, decision=decision.pk if decision else None)
    try:
        with membership.overlaps_told():
            outcome = membership.carry_out(held, membership.judge(held, leaving=leaving, only_good=leaving), leaving=leaving)
    except membership.MembersRefused as refusal:
        if leaving:
            return 0
        raise Conflict(str(refusal), "Deny those rows; decide the others.", refusal.problems[0]["code"]) from refusal
    if held.tso and outcome.changed:
        _tell_rto(held, submission, outcome.rows - outcome.bad)
    return outcome.changed


def _tell_rto(held: Aggregation, submission: Submission, rows: int) -> None:
    verb = "left" if submission.kind == Kind.DROP else "joined"
    url = f"/registry/aggregations/{held.uuid}/members/"
    subject = f"{held}: members have {verb} ({counted(rows, 'memberships')})"
    tell(held.tso, "validate_aggregations", event="members_changed", subject=subject, url=url, submission=submission)


def reviews_closed(submission: Submission) -> None:
    """The utilities have decided all rows: the RTO's clock starts where it validates who joins; inside acting()."""
    if submission.kind not in MEMBERSHIP or not waits_for_rto(submission):
        return
    rows = StagedDer.objects.filter(submission=submission, status__in=APPROVED).exclude(change=StagedDer.Change.IN_SCOPE).order_by()
    parts = rows.values_list("der_type").annotate(Count("pk"), Sum("nameplate_ac_kw")).order_by("der_type")
    figures = [{"technology": kind, "ders": number, "kw": float(kw)} for kind, number, kw in parts]
    if not figures:
        return
    aggregation = submission.aggregation
    days = RuleSet.objects.value_of("validation_days", timezone.localdate(), aggregation.tso.slug)
    made = MemberValidation.objects.create(
        submission=submission,
        aggregation=aggregation,
        aggregator_id=submission.aggregator_id,
        tso=aggregation.tso,
        row_count=sum(part["ders"] for part in figures),
        figures=figures,
        due_at=end_of_day_after(timezone.now(), days, settings.TIME_ZONE),
    )
    tell(
        made.tso,
        "validate_aggregations",
        event="members_to_validate",
        subject=f"{counted(made.row_count, 'DERs')} join {aggregation}: validate by {last_day(made.due_at)}",
        url=f"/registry/member-validations/{made.uuid}/",
        validation=made,
    )
