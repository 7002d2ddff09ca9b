"""The verbs of a notice of intent: send, answer, correct, withdraw; and its clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.intervals import end_of_day_after
from moc.notices.services import tell
from moc.rulesets.models import RuleSet
from moc.units import counted
from moc.vault import services as vault
from registry.aggregators.services import standing
from registry.ders.choices import technologies
from registry.grid.models import ServicePoint
from registry.intents.models import IntentNotice, IntentPoint
from registry.participants.services import account_index

FILE, ANSWER = "file_ders", "review_ders"
MOST = 500
DAYS = "intent_answer_days"
Status, Point = IntentNotice.Status, IntentPoint.Status


@dataclass(frozen=True)
class Stated:
    """What the aggregator states of a DER; `account` is compared and not kept."""

    reference: str
    der_type: str
    nameplate_ac_kw: Decimal
    usage_point_id: str
    account: str
    premise_address: str = ""


@dataclass(frozen=True)
class Known:
    """What the utility knows of it: its service point, and the account there; a remark where it knows it otherwise."""

    reference: str
    usage_point_id: str = ""
    account: str = ""
    remark: str = ""


def send(*, actor, aggregator: Organization, edc: Organization, title: str, points: Iterable[Stated]) -> IntentNotice:
    """Tell a utility which DERs are going to be filed, so that both settle location and account first. Raises UserError by row."""
    policy.require(actor, FILE, aggregator)
    points = list(points)
    _require_points(points)
    standing.require(aggregator, edcs={edc.pk})
    if edc.kind != Organization.Kind.EDC or not title.strip():
        raise UserError("A notice goes to a utility, and has a title.", "Choose the utility, and name the notice.", "INTENT-TITLE")
    with acting(actor, "Sent a notice of intent"):
        made = IntentNotice.objects.create(
            aggregator=aggregator, edc=edc, title=title.strip()[:120], row_count=len(points), due_at=_due(edc), created_by=actor
        )
        ring = vault.ring_of(edc.pk)
        IntentPoint.objects.bulk_create(IntentPoint(notice=made, aggregator=aggregator, edc=edc, **_facts(each, ring)) for each in points)
        _tell(made, made.edc, ANSWER, "intent_sent", f"{aggregator} intends to file {counted(len(points), 'DERs')}")
    return made


def _facts(stated: Stated, ring) -> dict:
    return {
        "reference": stated.reference,
        "der_type": stated.der_type,
        "nameplate_ac_kw": stated.nameplate_ac_kw,
        "usage_point_id": stated.usage_point_id,
        "premise_address": stated.premise_address,
        "account_index": account_index(ring, stated.account),
        "data_key_id": ring.pk,
    }


def _require_points(points: list[Stated]) -> None:
    if not 0 < len(points) <= MOST:
        raise UserError(f"A notice has 1 to {MOST} DERs.", "Send several notices for more.", "INTENT-SIZE")
    known, seen = dict(technologies()), set()
    for number, each in enumerate(points, start=1):
        wrong = _wrong(each, known, seen)
        if wrong:
            raise UserError(f"Row {number} ({each.reference or 'without an id'}): {wrong}", "Mend the row, and send again.", "INTENT-ROW")
        seen.add(each.reference)


def _wrong(each: Stated, known: dict, seen: set[str]) -> str:
    """What is wrong with a row, as a sentence; empty for nothing."""
    if not each.reference or len(each.reference) > 64 or each.reference in seen:
        return "each DER has an id of its own, at most 64 characters."
    if each.der_type not in known:
        return f"there is no technology “{each.der_type}”."
    if not 0 < each.nameplate_ac_kw < 10_000_000:
        return "the nameplate is a number of kW above zero."
    if not each.account or len(each.account) > 40:
        return "the customer's account with the utility is missing, or too long."
    if len(each.usage_point_id) > 40 or len(each.premise_address) > 200:
        return "the service point or the address is too long."
    return ""


@transaction.atomic
def answer(*, actor, notice: IntentNotice, points: Iterable[Known]) -> IntentNotice:
    """The utility says of every open DER where it is connected and which account it has there, or what it knows otherwise.

    A DER is settled with the utility's service point and equal accounts. Raises UserError for one that is left out or unknown.
    """
    policy.require(actor, ANSWER, notice.edc)
    with acting(actor, "Answered a notice of intent"):
        held = _held(notice, Status.SENT)
        known = {each.reference: each for each in points}
        waiting = list(IntentPoint.objects.filter(notice=held).open())
        if missing := [point.reference for point in waiting if point.reference not in known]:
            raise UserError(f"{counted(len(missing), 'DERs')} have no answer: {missing[0]}.", "Answer all of them.", "INTENT-ANSWER")
        places = _places(held, known.values())
        for point in waiting:
            _answer(actor, point, known[point.reference], places)
        differing = IntentPoint.objects.filter(notice=held).differing().count()
        moved = {"due_at": _due(held.edc)} if differing else {"settled_at": timezone.now()}
        only = IntentNotice.objects.filter(pk=held.pk)
        IntentNotice.lifecycle.move(only, "answer" if differing else "settle", actor=actor, **moved)
        held.refresh_from_db()
        said = f"{counted(differing, 'DERs')} differ" if differing else "settled, you may file"
        _tell(held, held.aggregator, FILE, "intent_answered", f"{held}: {said}", author=actor)
    return held


def _places(held: IntentNotice, answers: Iterable[Known]) -> dict[str, ServicePoint]:
    wanted = {each.usage_point_id for each in answers if each.usage_point_id}
    found = {point.usage_point_id: point for point in ServicePoint.objects.filter(edc=held.edc_id, usage_point_id__in=wanted)}
    if unknown := sorted(wanted - found.keys()):
        raise UserError(f"You have no service point {unknown[0]}.", "Give one of your own, or a remark instead.", "INTENT-POINT")
    return found


def _answer(actor, point: IntentPoint, known: Known, places: dict[str, ServicePoint]) -> None:
    place, equal = places.get(known.usage_point_id), known.account and _is_account(point, known.account)
    remark = known.remark.strip()[:300]
    if place is not None and equal:
        name = "settle"
    elif remark or (place is not None and known.account):
        name, remark = "differ", remark or "The account at this service point is another one."
    else:
        raise UserError(
            f"{point.reference}: neither service point and account nor a remark.",
            "Give both, or say what you know otherwise.",
            "INTENT-ANSWER",
        )
    IntentPoint.lifecycle.move(IntentPoint.objects.filter(pk=point.pk), name, actor=actor, service_point=place, remark=remark)


def _is_account(point: IntentPoint, account: str) -> bool:
    """Whether the utility's account is the one that the aggregator stated; asked under the data key that the index was made with."""
    rings = {ring.pk: ring for kept in (vault.rings, vault.former_rings) for ring in kept([point.edc_id]).values()}
    if point.data_key_id not in rings:
        raise Conflict("The utility's keys were changed since.", "Leave a remark: the aggregator states the account again.", "INTENT-KEY")
    return account_index(rings[point.data_key_id], account) == bytes(point.account_index)


@transaction.atomic
def correct(*, actor, notice: IntentNotice, points: Iterable[Stated]) -> IntentNotice:
    """The aggregator states the differing DERs anew; settled ones stay. Raises UserError by row."""
    policy.require(actor, FILE, notice.aggregator)
    points = list(points)
    _require_points(points)
    with acting(actor, "Corrected a notice of intent"):
        held = _held(notice, Status.ANSWERED)
        differing = {point.reference: point for point in IntentPoint.objects.filter(notice=held).differing()}
        if {each.reference for each in points} != differing.keys():
            raise UserError("The rows are not the differing DERs.", f"State these anew: {', '.join(sorted(differing)[:5])}.", "INTENT-ROW")
        ring = vault.ring_of(held.edc_id)
        for each in points:
            rows = IntentPoint.objects.filter(pk=differing[each.reference].pk)
            IntentPoint.lifecycle.move(rows, "correct", actor=actor, service_point=None, remark="", **_facts(each, ring))
        IntentNotice.lifecycle.move(IntentNotice.objects.filter(pk=held.pk), "correct", actor=actor, due_at=_due(held.edc))
        held.refresh_from_db()
        _tell(held, held.edc, ANSWER, "intent_sent", f"{held.aggregator} has corrected {counted(len(points), 'DERs')}", author=actor)
    return held


def withdraw(*, actor, notice: IntentNotice, reason: str) -> None:
    """The aggregator does not intend it any more. Raises TransitionRefused for one that has ended."""
    policy.require(actor, FILE, notice.aggregator)
    with acting(actor, reason):
        IntentNotice.lifecycle.move(IntentNotice.objects.filter(pk=notice.pk), "withdraw", actor=actor, reason=reason)
        _tell(notice, notice.edc, ANSWER, "intent_ended", f"Withdrawn: {notice}", author=actor)


def check_clocks(now: datetime | None = None) -> int:
    """End the notices whose party has not answered in time, and tell both; it bars nothing. Returns how many. Idempotent."""
    now, ended = now or timezone.now(), 0
    late = IntentNotice.objects.filter(status__in=[Status.SENT, Status.ANSWERED], due_at__lte=now)
    for pk in list(late.values_list("pk", flat=True)):
        with acting(None, "system: the notice was not answered in time"):
            for held in late.select_for_update(of=("self",), skip_locked=True).select_related("edc", "aggregator").filter(pk=pk):
                ended += IntentNotice.lifecycle.move(
                    IntentNotice.objects.filter(pk=pk), "lapse", actor=None, reason="system: its days are over"
                )
                for party, permission in ((held.edc, ANSWER), (held.aggregator, FILE)):
                    _tell(held, party, permission, "intent_ended", f"Ended without an answer: {held}")
    return ended


def _held(notice: IntentNotice, status: str) -> IntentNotice:
    found = IntentNotice.objects.select_for_update(of=("self",)).select_related("edc", "aggregator").get(pk=notice.pk)
    if found.status != status:
        raise Conflict(f"The notice is {found.get_status_display().lower()}.", "Reload the page.", "INTENT-STATUS")
    return found


def _due(edc: Organization) -> datetime:
    market = edc.utility.tso.slug if edc.utility.tso else ""
    return end_of_day_after(timezone.now(), RuleSet.objects.value_of(DAYS, timezone.localdate(), market), settings.TIME_ZONE)


def _tell(notice: IntentNotice, party: Organization, permission: str, event: str, subject: str, author=None) -> None:
    url = f"/registry/intents/{notice.uuid}/"
    tell(party, permission, event=event, subject=subject, url=url, author=author, notice=notice)
