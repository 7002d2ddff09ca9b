"""A study's limits and settings become the registry's by the decision on the filing of the DER, and are issued with envelopes."""

from decimal import Decimal

from django.db import transaction
from django.db.models import QuerySet

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from operations.interconnection.models import InterconnectionStudy
from operations.network.models import NetworkPoint, NetworkVersion
from operations.outages.services import log
from registry.submissions.models import Decision, StagedDer, UtilityReview
from registry.submissions.services import reviewing

PERMISSION = "review_ders"
OPEN = (StagedDer.Status.PENDING, StagedDer.Status.INFO_REQUESTED)


def rows_for(study: InterconnectionStudy) -> QuerySet[StagedDer]:
    """The filed DERs under review at the study's place, of its technology and within what was studied."""
    rows = at_place(study).filter(der_type=study.technology)
    return rows.filter(approved_export_kw__lte=study.rated_kw, approved_import_kw__lte=study.charge_kw).order_by("pk")


def at_place(study: InterconnectionStudy) -> QuerySet[StagedDer]:
    """The filed DERs under review at the study's place, whatever they are."""
    points = NetworkPoint.objects.filter(version=study.network, service_point__isnull=False)
    at = points.filter(service_point=study.service_point) if study.service_point_id else points.filter(bus=study.bus)
    rows = StagedDer.objects.to_review().filter(status__in=OPEN, submission__status="in_review", edc=study.edc_id)
    return rows.filter(service_point__in=at.values("service_point"))


def adopt(*, actor, study: InterconnectionStudy, row: StagedDer, statement: str = "") -> Decision:
    """Decide a filed DER by a study: approved with its flexible limits, limits by time and settings; logged, and envelopes follow.

    Raises NotPermitted, UserError (STUDY-STATUS, STUDY-OUTDATED, STUDY-ROW), and what the decision raises."""
    policy.require(actor, PERMISSION, study.edc)
    reason = statement.strip() or f"As studied: {study.title}"
    with transaction.atomic(), acting(actor, reason):
        study = InterconnectionStudy.objects.select_for_update(of=("self",)).select_related("edc", "feeder", "network").get(pk=study.pk)
        if study.status != InterconnectionStudy.Status.DONE:
            raise UserError("This study has no result that could be adopted.", "Adopt one that is done.", "STUDY-STATUS")
        current = NetworkVersion.objects.filter(feeder=study.feeder, status=NetworkVersion.Status.CURRENT)
        if not current.filter(topology_hash=study.topology_hash).exists():
            raise UserError("The feeder's network is another now.", "Study the DER again.", "STUDY-OUTDATED")
        if not rows_for(study).filter(pk=row.pk).exists():
            remedy = "Choose one at its place, of its technology and rating."
            raise UserError("This filing is not about what was studied.", remedy, "STUDY-ROW")
        review = UtilityReview.objects.get(submission=row.submission_id, edc=study.edc_id)
        terms = {"kind": Decision.Kind.APPROVE_LIMITED, "statement": reason, "temporal_limits": study.windows or None}
        limits = {f"{name}_limit_kw": _kw(getattr(study, f"flexible_{name}_kw")) for name in ("export", "import")}
        rows = StagedDer.objects.filter(pk=row.pk)
        settings = study.proposed_settings or None
        decision = reviewing.decide(actor=actor, review=review, rows=rows, inverter_settings=settings, **terms, **limits)
        moved = InterconnectionStudy.objects.filter(pk=study.pk)
        InterconnectionStudy.lifecycle.move(moved, "adopt", actor=actor, reason=reason, decision=decision)
        _log(actor, study, row, reason)
    return decision


def _kw(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _log(actor, study: InterconnectionStudy, row: StagedDer, reason: str) -> None:
    after = {"export_kw": study.flexible_export_kw, "import_kw": study.flexible_import_kw, "windows": len(study.windows)}
    before = {"export_kw": float(row.approved_export_kw), "import_kw": float(row.approved_import_kw)}
    subject = f"{row.external_id} on {study.feeder}"
    said = {"subject": subject, "reason": reason, "edc": study.edc, "feeder": study.feeder}
    log.write(actor=actor, act="interconnection_adopt", before=before, after=after, **said)
    log.followed(subject)
