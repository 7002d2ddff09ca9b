"""What people decide: an override of a verdict on a DER, and the RTO's validation or denial of an aggregation."""

from datetime import date

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization, Oversight
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.rulesets.kinds import first_day
from moc.rulesets.law import Law
from registry.aggregations.models import Aggregation, GridService
from registry.ders.models import Der
from registry.prequalification import reports
from registry.prequalification.models import MarketDecision, QualificationOverride
from registry.prequalification.rules import OFFERS
from registry.prequalification.services import passes

OVERRIDE, VALIDATE = "override_qualification", "validate_aggregations"
Kind = MarketDecision.Kind
DENIALS = {test.rule.code: test.rule for test in OFFERS}


def authority_over(actor, der: Der) -> Organization | None:
    """The utility of a DER, or a regulator of that utility, for which the actor may override; None for anybody else."""
    reach = policy.reach(actor, OVERRIDE)
    if der.edc_id in reach:
        return der.edc
    over = Oversight.objects.filter(overseen_id=der.edc_id, overseer__in=reach).select_related("overseer").first()
    return over.overseer if over else None


@transaction.atomic
def override(*, actor, der: Der, service: GridService, eligible: bool, reason: str) -> QualificationOverride:
    """Qualify or bar a DER for a service against the rules, in the place of an override that stands; its verdicts follow at once.

    Raises UserError without a reason, NotPermitted for whoever is neither its utility nor that utility's regulator.
    """
    by = authority_over(actor, der)
    if by is None:
        policy.require(actor, OVERRIDE, der.edc)
    if not reason.strip():
        raise UserError("An override needs a reason.", "Write why the rules do not decide here.", "OVERRIDE-REASON")
    with acting(actor, reason):
        _end(der, service)
        made = QualificationOverride.objects.create(
            der=der,
            service=service,
            aggregator_id=der.aggregator_id,
            edc_id=der.edc_id,
            by=by,
            eligible=eligible,
            reason=reason,
            made_by=actor,
        )
    passes.qualify(ders=[der.pk])
    return made


@transaction.atomic
def end_override(*, actor, override: QualificationOverride) -> None:
    """Let the rules decide again. Raises Conflict for one that has ended."""
    if authority_over(actor, override.der) is None:
        policy.require(actor, OVERRIDE, override.edc)
    with acting(actor, f"Override ended: {override.reason}"[:300]):
        if not _end(override.der, override.service, pk=override.pk):
            raise Conflict("The override has ended already.", "Reload the page.")
    passes.qualify(ders=[override.der_id])


def _end(der: Der, service: GridService, **which) -> int:
    return QualificationOverride.objects.filter(der=der, service=service, ended_at=None, **which).update(ended_at=timezone.now())


@transaction.atomic
def register(*, actor, aggregation: Aggregation, market_id: str, effective_on: date, statement: str = "") -> MarketDecision:
    """The RTO validates an aggregation: its id there and the day from which it takes part are stored.

    Its verdicts are computed anew first. Raises Conflict where a rule is broken, UserError for a day before the market opens for a
    service, or before today.
    """
    locked = _locked(actor, aggregation)
    verdicts = _verdicts(locked)
    broken = sorted({code for verdict in verdicts.values() for code in verdict["broken"]})
    if broken or not verdicts:
        names = ", ".join(broken) or "no service is offered"
        raise Conflict(f"{locked} does not qualify: {names}.", "Deny it by a rule, or wait until it does.", "NOT-QUALIFIED")
    _require_open(locked, effective_on)
    if not market_id.strip():
        raise UserError("The RTO's id of the aggregation is missing.", "Give its id.", "MARKET-ID")
    said = {"kind": Kind.REGISTER, "market_id": market_id.strip(), "effective_on": effective_on, "statement": statement}
    return _decide(actor, locked, "register", verdicts, **said)


@transaction.atomic
def deny(*, actor, aggregation: Aggregation, rule: str, statement: str = "") -> MarketDecision:
    """The RTO denies an aggregation by a rule that it breaks. Raises Conflict for any other: a denial is not at will (¶160, ¶292)."""
    locked = _locked(actor, aggregation)
    verdicts = _verdicts(locked)
    if not any(rule in verdict["broken"] for verdict in verdicts.values()):
        broken = sorted({code for verdict in verdicts.values() for code in verdict["broken"]})
        raise Conflict(
            f"{locked} does not break {rule or 'that rule'}.", f"Name one that it breaks: {', '.join(broken) or 'none'}.", "DENIAL-RULE"
        )
    return _decide(actor, locked, "deny", verdicts, kind=Kind.DENY, rule=rule, statement=statement)


def _locked(actor, aggregation: Aggregation) -> Aggregation:
    """The aggregation as it stands, for its own RTO."""
    if aggregation.tso is None:
        raise Conflict("No RTO validates an aggregation without wholesale services.", "Its utility buys what it offers.", "NO-RTO")
    policy.require(actor, VALIDATE, aggregation.tso)
    return Aggregation.objects.select_for_update(of=("self",)).select_related("tso", "aggregator").get(pk=aggregation.pk)


def _verdicts(aggregation: Aggregation) -> dict[str, dict]:
    """Service → its verdict of this moment."""
    passes.qualify(ders=[], aggregations=[aggregation.pk])
    return reports.verdicts(aggregation)


def _require_open(aggregation: Aggregation, effective_on: date) -> None:
    """Raise UserError for a day on which a service of the market is not open yet."""
    if effective_on < timezone.localdate():
        raise UserError("It takes part from today on, or later.", "Choose a later day.", "EFFECTIVE-ON")
    starts = Law.on(timezone.localdate()).value("participation_starts", aggregation.tso.slug) or {}
    for service in aggregation.services:
        opens = starts.get(service, starts.get("*", False))
        if opens is False:
            continue
        if opens is None or effective_on < first_day(opens):
            said = "on a day that is not known" if opens is None else f"on {first_day(opens)}"
            raise UserError(f"{aggregation.tso} opens for {service} {said}.", "Choose a later day, or leave the service out.", "NOT-OPEN")


def _decide(actor, aggregation: Aggregation, move: str, verdicts: dict, **said) -> MarketDecision:
    """Move the aggregation, keep the decision with the verdicts as they were, and tell the aggregator."""
    values = {name: said[name] for name in ("market_id", "effective_on") if name in said}
    reason = said.get("statement") or said.get("rule") or MarketDecision.Kind(said["kind"]).label
    Aggregation.lifecycle.move(Aggregation.objects.filter(pk=aggregation.pk), move, actor=actor, reason=reason, **values)
    with acting(actor, reason):
        made = MarketDecision.objects.create(aggregation=aggregation, decided_by=actor, verdicts=verdicts, **said)
        _tell(made)
    return made


def _tell(decision: MarketDecision) -> None:
    aggregation = decision.aggregation
    tell(
        aggregation.aggregator,
        "submit_ders",
        event="aggregation_decided",
        author=decision.decided_by,
        subject=f"{aggregation}: {decision.get_kind_display().lower()} by {aggregation.tso}",
        url=f"/registry/prequalification/aggregations/{aggregation.uuid}/",
        decision=decision,
        rule=DENIALS.get(decision.rule),
    )
