"""May an aggregator file? Suspensions with their reinstatement, and the watch over certifications."""

from datetime import date, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.documents.models import Document
from moc.documents.services import store
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from registry.aggregators import reports
from registry.aggregators.models import Certification, Suspension

PERMISSION, WARNS = "suspend_aggregators", "certification_warning_days"
LEVELS = {
    Organization.Kind.RERRA: Suspension.Level.STATE,
    Organization.Kind.TSO: Suspension.Level.MARKET,
    Organization.Kind.EDC: Suspension.Level.UTILITY,
}


def require(aggregator: Organization, *, edcs=(), tso: int | None = None) -> None:
    """Refuse a filing of an aggregator that is not in good standing with these parties. Raises UserError."""
    if found := reports.obstacles(aggregator, edcs=edcs, tso=tso):
        raise found[0]


def suspend(*, actor, aggregator: Organization, authority: Organization, reason: str, statement: str, evidence=None) -> Suspension:
    """Keep an aggregator from filing, at the authority's own level; `evidence` is an upload that the aggregator may read.

    Raises UserError for another kind of organisation, an unknown reason or missing evidence, Conflict when it is suspended already.
    """
    policy.require(actor, PERMISSION, authority)
    if aggregator.kind != Organization.Kind.AGGREGATOR or authority.kind not in LEVELS:
        raise UserError("Only an aggregator is suspended.", "Choose an aggregator.", "SUSPENSION-WHOM")
    if reason not in Suspension.Reason.values or not statement.strip():
        raise UserError("A suspension needs a reason of the list and a statement.", "Say what happened.", "SUSPENSION-REASON")
    if reason == Suspension.Reason.RELIABILITY and evidence is None:
        raise UserError("A threat to reliability is demonstrated by evidence (¶297).", "Attach the study.", "SUSPENSION-EVIDENCE")
    with acting(actor, f"Suspended {aggregator}: {Suspension.Reason(reason).label}"):
        if Suspension.objects.filter(aggregator=aggregator, authority=authority, status=Suspension.Status.IN_FORCE).exists():
            raise Conflict(f"{authority} has suspended {aggregator} already.", "Look at that suspension.", "SUSPENDED-ONCE")
        made = Suspension(aggregator=aggregator, authority=authority, level=LEVELS[authority.kind], reason=reason, statement=statement)
        if evidence is not None:
            made.evidence = store(actor=actor, owner=authority, kind=Document.Kind.EVIDENCE, upload=evidence, counterparty=aggregator)
        made.imposed_by = actor
        made.save(force_insert=True)
        _tell(made, f"{authority} has suspended {aggregator}")
    return made


def reinstate(*, actor, suspension: Suspension, reason: str) -> None:
    """Let the aggregator file again. Raises ReasonMissing, TransitionRefused."""
    policy.require(actor, PERMISSION, suspension.authority)
    rows = Suspension.objects.filter(pk=suspension.pk)
    with acting(actor, reason):
        Suspension.lifecycle.move(rows, "reinstate", actor=actor, reason=reason, lifted_by=actor, lifted_at=timezone.now())
        _tell(suspension, f"{suspension.authority} has reinstated {suspension.aggregator}")


def _tell(suspension: Suspension, subject: str) -> None:
    url = reverse("registry:suspension_detail", args=[suspension.uuid])
    tell(suspension.aggregator, "file_ders", event="suspension", subject=subject, url=url, suspension=suspension)


def warn(today: date | None = None) -> int:
    """Tell aggregators whose certifications expire soon, once for each of the days ahead that the rules name, and on the day after.

    A certification with a later one of its kind is not warned of. Returns how many were. Idempotent.
    """
    today, told = today or timezone.localdate(), 0
    for days in sorted((*RuleSet.objects.value_of(WARNS, today), 0)):
        with acting(None, "system: certifications that expire"):
            near = Certification.objects.standing().filter(expires_on__lte=today + timedelta(days=days - (days == 0)))
            unwarned = near.filter(Q(warned_days=None) | Q(warned_days__gt=days)).select_related("aggregator__registration")
            for row in unwarned.select_for_update(of=("self",)).order_by("pk"):
                latest = Certification.objects.last_days(row.aggregator_id)[row.kind]
                if latest == row.expires_on:
                    _warn(row, today)
                    told += 1
                Certification.objects.filter(pk=row.pk).update(warned_days=days)
    return told


def _warn(row: Certification, today: date) -> None:
    gone = row.expires_on < today
    said = f"expired on {row.expires_on}: filing is suspended" if gone else f"expires on {row.expires_on}"
    registration = getattr(row.aggregator, "registration", None)
    url = reverse("registry:aggregator_detail", args=[registration.uuid]) if registration else ""
    tell(row.aggregator, "file_ders", event="certification", subject=f"{row.get_kind_display()} {said}", url=url, certification=row)
