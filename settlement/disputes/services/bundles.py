"""The bundle: every record, version, message, clock and file concerned, frozen when the dispute is opened, hashed in the database."""

from django.db.models import Q, QuerySet
from django.utils import timezone
from psycopg import sql

from moc import sight
from moc.access.models import User
from moc.bulk import fetch_sql, run_sql
from moc.documents.models import Document
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from registry.ders.models import Der
from registry.prequalification.models import BrokenRule, Qualification, QualificationOverride
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from settlement.disputes.models import BundleItem, Dispute, Side

Kind = BundleItem.Kind
IN_THE_MAKING = Q(status__in=[Decision.Status.PROPOSED, Decision.Status.REJECTED])


def assemble(dispute: Dispute, review: UtilityReview, rows: QuerySet[StagedDer]) -> tuple[int, str]:
    """Freeze what concerns the disputed rows of a review; inside acting(). Returns (items, the hash over their hashes in order)."""
    decisions = _decisions(review, rows)
    _records(dispute, review, rows, decisions)
    _versions(dispute, review, rows, decisions)
    _freeze(dispute, Kind.CLOCK, RuleSet.objects.filter(pk__in=[review.clock_rule_id, dispute.clock_rule_id]))
    _freeze(
        dispute, Kind.FILE, Document.objects.filter(pk__in=decisions.filter(~IN_THE_MAKING).values("evidence")), left_out=["file", "key"]
    )
    _messages(dispute, review)
    return fetch_sql("bundle_hash", {"dispute": dispute.pk})[0]


def assemble_override(dispute: Dispute) -> tuple[int, str]:
    """Freeze what concerns a disputed override: it, the verdicts on its subject and the rules that it breaks, the subject, the clock.

    Returns (items, the hash over their hashes in order).
    """
    override = dispute.override
    subject = override.der or override.aggregation
    of_it = {subject._meta.model_name: subject}
    overrides = QualificationOverride.objects.filter(**of_it, service=override.service, aggregator=dispute.aggregator)
    for rows in (overrides, Qualification.objects.of(subject), BrokenRule.objects.of(subject)):
        _freeze(dispute, Kind.RECORD, rows.filter(aggregator=dispute.aggregator))
    _freeze(dispute, Kind.RECORD, type(subject).objects.filter(pk=subject.pk))
    _freeze(dispute, Kind.VERSION, QualificationOverride.history.model.objects.filter(id__in=list(overrides.values_list("pk", flat=True))))
    _freeze(dispute, Kind.VERSION, type(subject).history.model.objects.filter(id=subject.pk, aggregator=dispute.aggregator))
    _freeze(dispute, Kind.CLOCK, RuleSet.objects.filter(pk=dispute.clock_rule_id))
    return fetch_sql("bundle_hash", {"dispute": dispute.pk})[0]


@sight.engine()  # of the whole, whatever part of it the reader may see
def is_intact(dispute: Dispute) -> bool:
    """Whether the bundle is still the one that was frozen: every item hashes to its hash, and all of them to the dispute's."""
    return fetch_sql("bundle_hash", {"dispute": dispute.pk})[0] == (dispute.bundle_count, dispute.bundle_sha256)


def _decisions(review: UtilityReview, rows: QuerySet[StagedDer]) -> QuerySet[Decision]:
    """The decisions under which the rows stand; and those that asked or proposed something in the review, for which rows once stood under
    them is not recorded."""
    others = Q(kind=Decision.Kind.REQUEST_INFO) | IN_THE_MAKING
    return Decision.objects.filter(Q(pk__in=list(rows.order_by().values_list("decision", flat=True).distinct())) | others, review=review)


def _records(dispute: Dispute, review: UtilityReview, rows: QuerySet[StagedDer], decisions: QuerySet[Decision]) -> None:
    _freeze(dispute, Kind.RECORD, Submission.objects.filter(pk=review.submission_id))
    _freeze(dispute, Kind.RECORD, UtilityReview.objects.filter(pk=review.pk))
    _freeze(dispute, Kind.RECORD, rows)
    _freeze(dispute, Kind.RECORD, Finding.objects.filter(row__in=rows.order_by().values("pk")))
    _freeze(dispute, Kind.RECORD, decisions.exclude(IN_THE_MAKING))
    _freeze(dispute, Kind.RECORD, decisions.filter(IN_THE_MAKING), audience=Side.EDC)
    _freeze(dispute, Kind.RECORD, _ders(dispute, rows))


def _ders(dispute: Dispute, rows: QuerySet[StagedDer]) -> QuerySet[Der]:
    """The registered DERs that the rows would change, or that they became; those that are the aggregator's today."""
    names = rows.order_by().values("external_id")
    return Der.objects.filter(Q(pk__in=rows.order_by().values("der")) | Q(external_id__in=names), aggregator=dispute.aggregator)


def _versions(dispute: Dispute, review: UtilityReview, rows: QuerySet[StagedDer], decisions: QuerySet[Decision]) -> None:
    """The same records through time; what was still in the making is known to its own party only."""
    _freeze(dispute, Kind.VERSION, UtilityReview.history.model.objects.filter(id=review.pk))
    submissions = Submission.history.model.objects.filter(id=review.submission_id)
    _freeze(dispute, Kind.VERSION, submissions.filter(submitted_at__isnull=False))
    _freeze(dispute, Kind.VERSION, submissions.filter(submitted_at__isnull=True), audience=Side.AGGREGATOR)
    versions = Decision.history.model.objects.filter(id__in=list(decisions.values_list("pk", flat=True)))
    _freeze(dispute, Kind.VERSION, versions.exclude(IN_THE_MAKING))
    _freeze(dispute, Kind.VERSION, versions.filter(IN_THE_MAKING), audience=Side.EDC)
    ders = Der.history.model.objects.filter(id__in=_ders(dispute, rows).values("pk"), aggregator=dispute.aggregator)
    _freeze(dispute, Kind.VERSION, ders)


def _messages(dispute: Dispute, review: UtilityReview) -> None:
    """What each party was told about the filing and its review, once however many of its people were told; each knows its own."""
    pages = [f"/registry/submissions/{review.submission.uuid}/", f"/registry/reviews/{review.uuid}/"]
    told = Notice.objects.filter(url__in=pages, created_at__gte=review.submission.created_at)
    for side in (Side.AGGREGATOR, Side.EDC):
        people = User.objects.filter(memberships__organization=dispute.organization(side)).values("pk")
        once = told.filter(user__in=people).order_by("event", "created_at", "pk").distinct("event", "created_at")
        _freeze(dispute, Kind.MESSAGE, once, audience=side, left_out=["read_at", "by_email", "emailed_at", "email_attempts", "uuid"])


def _freeze(dispute: Dispute, kind: str, rows: QuerySet, *, audience: str = "", left_out: list[str] | None = None) -> int:
    """Rows of one table as they stand, into the bundle, in one statement; people's keys are left out, history names them."""
    model, key = rows.model, rows.model._meta.pk
    people = [field.column for field in model._meta.concrete_fields if field.related_model is User]
    stood = "history_date" if hasattr(model, "instance_type") else ""
    return run_sql(
        "freeze",
        {
            "dispute": dispute.pk,
            "kind": kind,
            "source": model._meta.label,
            "audience": audience,
            "keys": list(rows.values_list("pk", flat=True)),
            "left_out": [*people, *(left_out or [])],
            "now": timezone.now(),
        },
        table=sql.Identifier(model._meta.db_table),
        key=sql.Identifier(key.column),
        stood=sql.Identifier(stood) if stood else sql.SQL("%(now)s::timestamptz"),
    )
