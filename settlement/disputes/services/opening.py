"""The aggregator opens a dispute over a decision or an override, in time; its bundle is frozen in the same transaction (¶299)."""

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc import rules
from moc.access import policy
from moc.access.models import Organization, Oversight
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.jurisdictions.models import Jurisdiction
from registry.prequalification.models import QualificationOverride
from registry.submissions.models import StagedDer, UtilityReview
from settlement.disputes.models import PURSUE, Dispute, DisputePart, Side
from settlement.disputes.rules import RULES
from settlement.disputes.services import bundles, clocks
from settlement.disputes.services.parties import tell_sides
from settlement.disputes.services.pleading import put

SHOWN = ("submission", "edc__utility__tso", "aggregator", "clock_rule")


def review_of(row: StagedDer) -> UtilityReview:
    """The review in which a filed row was decided. Raises Conflict for a row that no utility reviews."""
    found = UtilityReview.objects.select_related(*SHOWN).filter(submission=row.submission_id, edc=row.edc_id).first()
    if found is None:
        raise Conflict("No utility has reviewed this DER.", "Submit it first.", "DISPUTE-UNDECIDED")
    return found


def regulator_of(edc: Organization) -> Organization | None:
    """The regulator that oversees a utility; else the one that governs it in some county today."""
    oversight = Oversight.objects.filter(overseen=edc, overseer__kind="rerra", overseer__is_active=True).select_related("overseer")
    overseer = oversight.order_by("pk").first()
    if overseer:
        return overseer.overseer
    governs = (
        Jurisdiction.objects.filter(edc=edc, valid_during__contains=timezone.localdate()).select_related("rerra").order_by("pk").first()
    )
    return governs.rerra if governs else None


def refusals(subjects: QuerySet) -> list[rules.Rule]:
    """The rules that forbid to dispute one subject (a set of one filed row, or of one review); none where it may be disputed."""
    return [violation.rule for violation in rules.check(subjects, RULES)]


def disputed_rows(dispute: Dispute) -> QuerySet[StagedDer]:
    """The rows that the dispute is about: the one, or those of the review that its end could still approve."""
    if dispute.row_id:
        return StagedDer.objects.filter(pk=dispute.row_id)
    return StagedDer.objects.of_review(dispute.review).filter(status__in=StagedDer.DISPUTABLE)


def open_dispute(
    *,
    actor,
    claim: str,
    row: StagedDer | None = None,
    review: UtilityReview | None = None,
    override: QualificationOverride | None = None,
    upload=None,
) -> Dispute:
    """Open a dispute over a row, a review or an override that bars, with the claim as its first statement and perhaps a file.

    Raises UserError for an empty claim, and Conflict with the rule's code where it may not be disputed (rules.py).
    """
    subject = row or review or override
    policy.require(actor, PURSUE, subject.aggregator)
    if not claim.strip():
        raise UserError("Say what you want, and why.", "Write the claim.", "DISPUTE-CLAIM")
    with transaction.atomic(), acting(actor, "Opened a dispute"):
        subject = type(subject).objects.select_for_update(of=("self",)).get(pk=subject.pk)
        for broken in refusals(type(subject).objects.filter(pk=subject.pk)):
            raise Conflict(broken.sentence, broken.remedy, broken.code)
        reviewed = _review(subject)
        dispute = _new(actor, claim.strip(), subject, reviewed)
        put(dispute, Side.AGGREGATOR, DisputePart.Kind.STATEMENT, actor=actor, text=claim, upload=upload)
        if reviewed:
            count, digest = bundles.assemble(dispute, reviewed, disputed_rows(dispute))
        else:
            count, digest = bundles.assemble_override(dispute)
        Dispute.objects.filter(pk=dispute.pk).update(bundle_count=count, bundle_sha256=digest)
        dispute.refresh_from_db()
        subject_line = f"{dispute.aggregator} disputes your decision: {dispute}"
        tell_sides(dispute, Side.EDC, event="dispute_opened", subject=subject_line, author=actor)
        tell_sides(dispute, Side.TSO, Side.RERRA, event="dispute_opened", subject=f"{dispute}: a dispute was opened", author=actor)
    return dispute


def _review(subject: StagedDer | UtilityReview | QualificationOverride) -> UtilityReview | None:
    """The review that a dispute is about, or about a row of; none for an override."""
    if isinstance(subject, StagedDer):
        return review_of(subject)
    return None if isinstance(subject, QualificationOverride) else UtilityReview.objects.select_related(*SHOWN).get(pk=subject.pk)


def _about(subject: StagedDer | UtilityReview | QualificationOverride, review: UtilityReview | None) -> tuple[str, dict]:
    """(what a dispute is called, its keys to its subject)."""
    if review is None:
        return f"{subject.service} of {subject.der or subject.aggregation}: barred by {subject.by}", {"override": subject}
    if isinstance(subject, StagedDer):
        return f"DER {subject.external_id}, {review.submission.title}", {"row": subject, "decision": subject.decision}
    return review.submission.title, {"review": review}


def _new(actor, claim: str, subject: StagedDer | UtilityReview | QualificationOverride, review: UtilityReview | None) -> Dispute:
    edc = review.edc if review else subject.edc
    profile = getattr(edc, "utility", None)
    tso, rerra, now = profile.tso if profile else None, regulator_of(edc), timezone.now()
    about, keys = _about(subject, review)
    return Dispute.objects.create(
        title=about[:300],
        aggregator=subject.aggregator,
        edc=edc,
        tso=tso,
        rerra=rerra,
        **keys,
        claim=claim,
        opened_by=actor,
        opened_at=now,
        **clocks.level_clock(Dispute.Level.PARTIES, tso, rerra, now),
        **clocks.turn_of(Side.EDC, tso, rerra, now),
    )
