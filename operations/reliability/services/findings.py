"""Look for cases, keep them as findings, and carry them through answer and close."""

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.history import acting
from moc.notices.services import tell
from moc.units import counted
from operations.reliability import reports
from operations.reliability.models import ReliabilityFinding
from operations.reliability.reports import Case, Rule
from operations.reliability.services import bounds
from registry.ders.models import Der

ANSWERS, WATCHES, EVENT, SYSTEM = "file_ders", "manage_grid", "reliability_finding", "system: reliability looked at"
KEPT, WINDOW = 20, timedelta(hours=1)


def look(since: datetime | None = None, until: datetime | None = None) -> int:
    """Judge the readings of a window (the hour before the present one) and yesterday's telemetry. Returns how many findings are new.

    Idempotent: a case is counted once."""
    until = until or timezone.now().replace(minute=0, second=0, microsecond=0)
    since = since or until - WINDOW
    law = bounds.of_a_look()
    over, ignored = reports.beyond(since, until, law)
    found = {Rule.LIMIT: over, Rule.RESPONSE: ignored, Rule.RIDE_THROUGH: list(reports.tripped(since, until, law))}
    found[Rule.TELEMETRY] = reports.poor(timezone.localdate(since) - timedelta(days=1), law)
    return sum(keep(rule, cases) for rule, cases in found.items())


def keep(rule: str, cases: list[Case]) -> int:
    """Keep cases as findings, one a DER and rule, told to both parties; a known case is no other. Returns how many are new."""
    by_der: dict[int, list[Case]] = defaultdict(list)
    for case in cases:
        by_der[case.der].append(case)
    made = []
    with transaction.atomic(), acting(None, SYSTEM):
        standing = ReliabilityFinding.objects.select_for_update(of=("self",)).filter(der__in=by_der, rule=rule)
        closed = dict(standing.filter(status="closed").order_by("last_at").values_list("der", "last_at"))
        known = {each.der_id: each for each in standing.filter(status__in=ReliabilityFinding.STANDING)}
        for der in Der.objects.filter(pk__in=by_der, aggregator__isnull=False).order_by("pk"):
            last = known[der.pk].last_at if der.pk in known else closed.get(der.pk)
            fresh = [case for case in by_der[der.pk] if last is None or case.at > last]
            if fresh and der.pk in known:
                _add(known[der.pk], fresh)
            elif fresh:
                made.append(_made(rule, der, fresh))
        ReliabilityFinding.objects.bulk_create(made)
        _tell(made)
    return len(made)


def _told(cases: list[Case]) -> list[list]:
    return [[case.at.isoformat(), case.measured, case.limit, case.words] for case in cases]


def _add(finding: ReliabilityFinding, cases: list[Case]) -> None:
    finding.evidence = (finding.evidence + _told(cases))[-KEPT:]
    finding.count, finding.last_at = finding.count + len(cases), max(case.at for case in cases)
    finding.save(update_fields=["evidence", "count", "last_at"])


def _made(rule: str, der: Der, cases: list[Case]) -> ReliabilityFinding:
    times = [case.at for case in cases]
    facts = {"count": len(cases), "first_at": min(times), "last_at": max(times), "evidence": _told(cases)[-KEPT:]}
    return ReliabilityFinding(der=der, aggregator_id=der.aggregator_id, edc_id=der.edc_id, rule=rule, **facts)


def _tell(made: list[ReliabilityFinding]) -> None:
    """Each aggregator and each utility of its own new findings."""
    for key, permission in (("aggregator_id", ANSWERS), ("edc_id", WATCHES)):
        for party in Organization.objects.filter(pk__in={getattr(each, key) for each in made}).order_by("pk"):
            own = [each for each in made if getattr(each, key) == party.pk]
            subject = f"{counted(len(own), 'new findings')}: {own[0].get_rule_display().lower()}"
            tell(party, permission, event=EVENT, subject=subject, url=reverse("operations:reliability_findings"), findings=own[:20])


def move(*, actor, finding: ReliabilityFinding, name: str, reason: str = "") -> None:
    """Answer, ask again, or close, with the reason. Raises NotPermitted, TransitionRefused, ReasonMissing."""
    transition_ = ReliabilityFinding.lifecycle.transitions[name]
    policy.require(actor, transition_.permission, finding.aggregator if name == "answer" else finding.edc)
    with transaction.atomic():
        ReliabilityFinding.lifecycle.move(ReliabilityFinding.objects.filter(pk=finding.pk), name, actor=actor, reason=reason)
        with acting(actor, reason):
            party, permission = (finding.edc, WATCHES) if name == "answer" else (finding.aggregator, ANSWERS)
            subject = f"{finding}: {transition_.title.lower()}. {reason}"
            url = reverse("operations:reliability_finding", args=[finding.uuid])
            tell(party, permission, event=EVENT, subject=subject, url=url, author=actor, findings=[finding])
