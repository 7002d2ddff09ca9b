"""The RTO's review of an aggregation: validated, denied or suspended by a rule, returned as incomplete, or asked about."""

from collections.abc import Callable
from datetime import date

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from moc.rules import ERROR, Rule
from moc.rulesets.kinds import first_day
from moc.rulesets.law import Law
from registry.aggregations.models import Aggregation
from registry.aggregations.services import agents, clocks
from registry.prequalification import reports
from registry.prequalification.models import MarketDecision
from registry.prequalification.rules import OFFERS
from registry.prequalification.services import passes

VALIDATE, ANSWER = "validate_aggregations", "submit_ders"
Kind, Status = MarketDecision.Kind, Aggregation.Status
OVERRIDDEN = Rule(
    code="PQ-OVERRIDE",
    sentence="Its utility or a regulator has barred it, with a reason.",
    remedy="Ask them what would change it.",
    columns=(),
    cites="FERC Order 2222 ¶297: removal on a demonstration by the utility; ¶322: the regulator's part",
    severity=ERROR,
)
DENIALS = {rule.code: rule for rule in (*(test.rule for test in OFFERS), OVERRIDDEN)}


@transaction.atomic
def register(*, actor, aggregation: Aggregation, market_id: str, effective_on: date, statement: str = "") -> MarketDecision:
    """The RTO validates an aggregation: its id there and the day from which it takes part are stored.

    Its verdicts are computed anew first. Raises Conflict where it does not qualify for a service that it seeks, UserError for a day
    before the market opens for a service, or before today.
    """
    locked = _locked(actor, aggregation)
    verdicts = judged(locked)
    if not verdicts or not all(verdict["eligible"] for verdict in verdicts.values()):
        names = ", ".join(grounds(verdicts)) or "no service is offered"
        raise Conflict(f"{locked} does not qualify: {names}.", "Deny it by a rule, or wait until it does.", "NOT-QUALIFIED")
    _require_open(locked, effective_on)
    if not market_id.strip():
        raise UserError("The RTO's id of the aggregation is missing.", "Give its id.", "MARKET-ID")
    placed = {"market_id": market_id.strip(), "effective_on": effective_on}
    return _decide(actor, locked, Kind.REGISTER, verdicts, moved=placed | clocks.STOPPED, statement=statement, **placed)


@transaction.atomic
def deny(*, actor, aggregation: Aggregation, rule: str, statement: str = "") -> MarketDecision:
    """The RTO denies an aggregation by a rule that it breaks. Raises Conflict for any other: a denial is not at will (¶160, ¶292)."""
    locked = _locked(actor, aggregation)
    verdicts = _broken(locked, rule)
    return _decide(actor, locked, Kind.DENY, verdicts, moved=clocks.STOPPED, rule=rule, statement=statement)


@transaction.atomic
def suspend(*, actor, aggregation: Aggregation, rule: str, statement: str = "") -> MarketDecision:
    """The RTO suspends a registered aggregation by a rule that it breaks by now, or because its utility has shown a risk (¶297)."""
    locked = _locked(actor, aggregation)
    return _decide(actor, locked, Kind.SUSPEND, _broken(locked, rule), rule=rule, statement=statement)


@transaction.atomic
def reinstate(*, actor, aggregation: Aggregation, statement: str) -> MarketDecision:
    """A suspended aggregation takes part again as it was validated: its id and first day stay. Raises Conflict while it breaks a rule."""
    locked = _locked(actor, aggregation)
    verdicts = judged(locked)
    if broken := grounds(verdicts):
        raise Conflict(f"{locked} does not qualify: {', '.join(broken)}.", "Wait until it does.", "NOT-QUALIFIED")
    return _decide(actor, locked, Kind.REINSTATE, verdicts, statement=_said(statement))


@transaction.atomic
def ask(*, actor, aggregation: Aggregation, statement: str) -> MarketDecision:
    """The RTO asks the aggregator; its clock stands meanwhile only where a row of the law says so."""
    locked = _locked(actor, aggregation)
    return _decide(actor, locked, Kind.ASK, {}, moved=clocks.asked(locked), statement=_said(statement))


@transaction.atomic
def return_incomplete(*, actor, aggregation: Aggregation, statement: str) -> MarketDecision:
    """The RTO returns an aggregation that lacks something, within the days for that; the clock begins anew when it comes again."""
    locked = _locked(actor, aggregation)
    if locked.submitted_at and timezone.now() > clocks.complete_after(locked):
        raise Conflict("The days for returning it as incomplete are over.", "Ask for what is missing, or decide.", "COMPLETE")
    return _decide(actor, locked, Kind.RETURN, {}, moved=clocks.returned(locked), statement=_said(statement))


@transaction.atomic
def answer(*, actor, decision: MarketDecision, text: str) -> MarketDecision:
    """The aggregator answers a question: the RTO goes on, its clock later by as long as it stood. Raises Conflict for an old question."""
    aggregation = decision.aggregation
    policy.require(actor, ANSWER, aggregation.aggregator)
    if not text.strip():
        raise UserError("The answer is empty.", "Write what the RTO asked for.", "ANSWER")
    with acting(actor, f"Answered: {text}"[:300]):
        held = Aggregation.objects.select_for_update(of=("self",)).select_related("tso").get(pk=aggregation.pk)
        last = MarketDecision.objects.select_for_update().filter(aggregation=held, kind=Kind.ASK, answered_at=None).first()
        if last is None or last.pk != decision.pk or held.status != Status.ASKED:
            raise Conflict("This question waits for no answer.", "Reload the page.")
        Aggregation.lifecycle.move(Aggregation.objects.filter(pk=held.pk), "answer", actor=actor, **clocks.resumed(held))
        last.answer, last.answered_by, last.answered_at = text, actor, timezone.now()
        last.save(update_fields=["answer", "answered_by", "answered_at"])
        tell(held.tso, VALIDATE, event="aggregation_answered", subject=f"Answered: {held}", url=page_of(held), decision=last)
    return last


def _said(statement: str) -> str:
    if not statement.strip():
        raise UserError("The aggregator needs to know what is asked of it.", "Write it.", "STATEMENT")
    return statement


def _locked(actor, aggregation: Aggregation) -> Aggregation:
    """The aggregation as it stands, for its own RTO."""
    if aggregation.tso is None:
        raise Conflict("No RTO validates an aggregation without wholesale services.", "Its utility buys what it offers.", "NO-RTO")
    policy.require(actor, VALIDATE, aggregation.tso)
    return Aggregation.objects.select_for_update(of=("self",)).select_related("tso", "aggregator").get(pk=aggregation.pk)


def judged(aggregation: Aggregation) -> dict[str, dict]:
    """Service → its verdict of this moment."""
    passes.qualify(ders=[], aggregations=[aggregation.pk])
    return reports.verdicts(aggregation)


def grounds(verdicts: dict[str, dict]) -> list[str]:
    """The codes by which an aggregation may be denied: rules broken for services for which it does not qualify, or its being barred."""
    failed = [verdict for verdict in verdicts.values() if not verdict["eligible"]]
    return sorted({code for verdict in failed for code in verdict["broken"] or [OVERRIDDEN.code]})


def _broken(aggregation: Aggregation, rule: str) -> dict[str, dict]:
    """The verdicts, with this rule broken. Raises Conflict for another."""
    verdicts = judged(aggregation)
    broken = grounds(verdicts)
    if rule not in broken:
        refusal = f"{aggregation} does not break {rule or 'that rule'}."
        raise Conflict(refusal, f"Name one that it breaks: {', '.join(broken) or 'none'}.", "DENIAL-RULE")
    return verdicts


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


def _decide(actor, aggregation: Aggregation, kind: Kind, verdicts: dict, *, moved: dict | None = None, **said) -> MarketDecision:
    """Move the aggregation, keep the decision with the verdicts as they were, and tell the aggregator."""
    reason = said.get("statement") or said.get("rule") or kind.label
    Aggregation.lifecycle.move(Aggregation.objects.filter(pk=aggregation.pk), kind.value, actor=actor, reason=reason, **(moved or {}))
    with acting(actor, reason):
        made = MarketDecision.objects.create(aggregation=aggregation, decided_by=actor, verdicts=verdicts, kind=kind, **said)
        _tell(made)
    return made


def _tell(decision: MarketDecision) -> None:
    aggregation = decision.aggregation
    tell(
        aggregation.aggregator,
        ANSWER,
        event="aggregation_decided",
        author=decision.decided_by,
        subject=f"{aggregation}: {decision.get_kind_display().lower()} by {aggregation.tso}",
        url=page_of(aggregation),
        decision=decision,
        rule=DENIALS.get(decision.rule),
    )


def page_of(aggregation: Aggregation) -> str:
    """The address of an aggregation's checklist."""
    return f"/registry/prequalification/aggregations/{aggregation.uuid}/"


def check_clocks() -> dict[str, int]:
    """The clocks of RTOs' reviews: overdue ones are escalated, unanswered questions end, what was not mended is a draft again.

    Idempotent; each aggregation in a transaction of its own.
    """
    rows, now = Aggregation.objects.order_by("pk"), timezone.now()
    waiting = rows.filter(answer_due_at__lte=now)
    overdue = rows.filter(status=Status.SUBMITTED, due_at__lte=now, escalated_at=None)
    return {
        "unanswered": sum(_each(waiting.filter(status=Status.ASKED), _go_on)),
        "lapsed": sum(_each(waiting.filter(status=Status.RETURNED), _lapse)),
        "escalated": sum(_each(overdue, _escalate)),
    }


def _each(rows, act: Callable[[Aggregation], None]) -> list[int]:
    """Do it for each of the rows that is still among them once it is locked."""
    done = []
    for pk in list(rows.values_list("pk", flat=True)):
        with transaction.atomic(), acting(None, "system: the RTO's clock"):
            held = rows.select_for_update(of=("self",)).select_related("tso", "aggregator").filter(pk=pk).first()
            if held is not None:
                act(held)
                done.append(1)
    return done


def _go_on(aggregation: Aggregation) -> None:
    moved = clocks.resumed(aggregation)
    Aggregation.lifecycle.move(Aggregation.objects.filter(pk=aggregation.pk), "go_on", actor=None, reason="system: no answer came", **moved)


def _lapse(aggregation: Aggregation) -> None:
    rows = Aggregation.objects.filter(pk=aggregation.pk)
    Aggregation.lifecycle.move(rows, "lapse", actor=None, reason="system: not mended in time", **clocks.STOPPED)
    agents.settle(rows.get())


def _escalate(aggregation: Aggregation) -> None:
    Aggregation.objects.filter(pk=aggregation.pk).update(escalated_at=timezone.now())
    for organization, permission in ((aggregation.tso, VALIDATE), (aggregation.aggregator, ANSWER)):
        subject = f"{aggregation}: the days for its validation are over"
        tell(organization, permission, event="validation_overdue", subject=subject, url=page_of(aggregation), aggregation=aggregation)
