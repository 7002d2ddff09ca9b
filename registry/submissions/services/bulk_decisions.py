"""Decisions on selections of any size: at once up to AT_ONCE rows, above that as a job; several decisions are one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from moc.access import policy
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.jobs import services as jobs
from moc.jobs.models import Job
from moc.units import counted
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import reviewing

AT_ONCE = 2_000
TASK = "registry.submissions.tasks.decide"
LIMITS = ("export_limit_kw", "import_limit_kw")
RowsOf = Callable[[dict], QuerySet[StagedDer]]


@dataclass(frozen=True)
class Plan:
    """One decision to be taken: its terms (the arguments of `reviewing.decide`), the selection of its rows, how many they are."""

    terms: dict[str, object]
    selection: dict[str, object]
    expected: int

    def as_json(self) -> dict:
        terms = {name: str(value) if isinstance(value, Decimal) else value for name, value in self.terms.items()}
        return {"terms": terms, "selection": self.selection, "expected": self.expected}

    @classmethod
    def from_json(cls, stored: dict) -> "Plan":
        limits = {name: Decimal(stored["terms"][name]) for name in LIMITS if stored["terms"].get(name) is not None}
        return cls(stored["terms"] | limits, stored["selection"], stored["expected"])


@dataclass(frozen=True)
class Outcome:
    """What became of a wish to decide: the decisions, or the job that takes them."""

    decisions: list[Decision] = field(default_factory=list)
    job: Job | None = None

    @property
    def row_count(self) -> int:
        return sum(decision.row_count for decision in self.decisions)


def decide_selection(
    *, actor, review: UtilityReview, selection: dict, rows_of: RowsOf, terms: dict[str, object], evidence_upload=None
) -> Outcome:
    """Decide the rows of a selection: {"rows": [numbers]} or {"filter": ...}, which `rows_of` turns into rows.

    Raises UserError for what the decision lacks, Conflict when a row was decided meanwhile; then nothing is changed.
    """
    policy.require(actor, "review_ders", review.edc)
    expected = len(set(selection["rows"])) if "rows" in selection else rows_of(selection).count()
    if not expected:
        raise UserError("No rows are selected.", "Select rows that are not decided yet, or change the filter.", "DECISION-EMPTY")
    return carry_out(actor=actor, review=review, plans=[Plan(terms, selection, expected)], rows_of=rows_of, evidence_upload=evidence_upload)


def carry_out(*, actor, review: UtilityReview, plans: list[Plan], rows_of: RowsOf, evidence_upload=None) -> Outcome:
    """Take the planned decisions, or have them taken in the background when they are about more than AT_ONCE rows."""
    policy.require(actor, "review_ders", review.edc)
    denies = any(plan.terms["kind"] == Decision.Kind.DENY for plan in plans)
    with kept_evidence(actor, review, evidence_upload if denies else None) as evidence:
        for plan in plans:
            limits = tuple(plan.terms.get(name) for name in (*LIMITS, "temporal_limits"))
            reviewing.require_complete(plan.terms["kind"], plan.terms["statement"], plan.terms["reason_code"], evidence, limits)
        if sum(plan.expected for plan in plans) > AT_ONCE:
            return Outcome(job=enqueue_decision(actor=actor, review=review, plans=plans, evidence=evidence))
        return Outcome(take(actor=actor, review=review, plans=plans, rows_of=rows_of, evidence=evidence))


@contextmanager
def kept_evidence(actor, review: UtilityReview, upload) -> Iterator[Document | None]:
    """The evidence as a document that the aggregator may read; when the body fails, nothing of it stays, the file neither."""
    if upload is None:
        yield None
        return
    document = None
    try:
        with transaction.atomic():
            document = store(actor=actor, owner=review.edc, kind=Document.Kind.EVIDENCE, upload=upload, counterparty=review.aggregator)
            yield document
    except BaseException:
        if document is not None:
            document.file.delete(save=False)
        raise


def enqueue_decision(*, actor, review: UtilityReview, plans: list[Plan], evidence: Document | None = None) -> Job:
    """Have decisions taken in the background; `registry.submissions.tasks.decide` takes them all, or none."""
    policy.require(actor, "review_ders", review.edc)
    number = sum(plan.expected for plan in plans)
    return jobs.enqueue(
        actor=actor,
        task=TASK,
        title=f"Deciding {counted(number, 'DERs')} of {review.submission.title}",
        review=review.pk,
        plans=[plan.as_json() for plan in plans],
        evidence=evidence.pk if evidence else None,
    )


@transaction.atomic
def take(
    *,
    actor,
    review: UtilityReview,
    plans: list[Plan],
    rows_of: RowsOf,
    evidence: Document | None = None,
    job: Job | None = None,
    progress=None,
) -> list[Decision]:
    """Take the planned decisions in one transaction. With a job it happens once, however often the job runs: its outcome says so."""
    UtilityReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
    done = Job.objects.values_list("outcome", flat=True).get(pk=job.pk).get("decisions") if job else None
    if done:
        return list(Decision.objects.filter(uuid__in=done))
    wishes = _wishes(plans, rows_of, evidence, progress or (lambda *said: None))
    decisions, decided = reviewing.decide_all(actor=actor, review=review, wishes=wishes), sum(plan.expected for plan in plans)
    for decision, plan in zip(decisions, plans, strict=True):
        if decision.row_count != plan.expected:
            raise Conflict(
                f"{plan.expected:,} rows were selected, of which {decision.row_count:,} are still there to decide; nothing was changed.",
                "Reload, and decide what is left.",
            )
    if job:
        outcome = {"decisions": [str(decision.uuid) for decision in decisions], "rows": decided}
        Job.objects.filter(pk=job.pk).update(outcome=outcome)
        job.outcome = outcome
    return decisions


def _wishes(plans: list[Plan], rows_of: RowsOf, evidence: Document | None, progress) -> Iterator[tuple[QuerySet[StagedDer], dict]]:
    """Rows and terms of each plan, when its turn comes."""
    total, decided = sum(plan.expected for plan in plans), 0
    for plan in plans:
        progress(decided, total, f"{Decision.Kind(plan.terms['kind']).label}: {plan.expected:,} rows")
        denial = plan.terms["kind"] == Decision.Kind.DENY
        yield rows_of(plan.selection), {**plan.terms, "evidence": evidence if denial else None}
        decided += plan.expected
