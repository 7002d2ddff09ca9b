"""Outages and derates of DERs: told by the batch, begun by the clock, ended by who told them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.errors import Conflict
from moc.history import acting
from moc.notices.services import tell
from moc.rules import Rule
from moc.units import counted
from operations.outages import rules
from operations.outages.models import DerOutage
from operations.outages.services import log
from registry.ders.models import Der

PERMISSION, WATCHES, EVENT = "file_ders", "manage_grid", "der_outage"
Kind, Cause, Status = DerOutage.Kind, DerOutage.Cause, DerOutage.Status


@dataclass(frozen=True)
class Told:
    """An outage as it is told: the DER by its id. Available power in kW; moments with offset."""

    der: str
    kind: str
    cause: str
    starts_at: datetime
    reason: str
    expected_until: datetime | None = None
    available_kw: Decimal = Decimal(0)
    notified: str = ""


@dataclass
class Outcome:
    """What became of a batch: outages taken, and refused as (row from 1, rule)."""

    taken: list[DerOutage] = field(default_factory=list)
    refused: list[tuple[int, Rule]] = field(default_factory=list)


def report(*, actor, rows: list[Told], only_good: bool = False) -> Outcome:
    """Tell outages of one's own DERs: all, or with `only_good` those that are in order. Each utility is told once for the batch."""
    if not policy.allows(actor, PERMISSION):
        raise policy.NotPermitted("You may not tell outages of DERs.")
    outcome, now = Outcome(), timezone.now()
    with transaction.atomic(), acting(actor, f"Told {counted(len(rows), 'outages of DERs')}"):
        mine = Der.objects.registered().filter(aggregator__in=policy.reach(actor, PERMISSION), uuid__in={row.der for row in rows})
        known = {str(der.uuid): der for der in mine.select_for_update(of=("self",)).order_by("pk")}
        out = set(DerOutage.objects.filter(der__in=known.values(), status=Status.ACTIVE).values_list("der", flat=True))
        made = []
        for number, row in enumerate(rows, start=1):
            broken = _broken(row, known.get(str(row.der)), out, now)
            if broken is not None:
                outcome.refused.append((number, broken))
                continue
            der = known[str(row.der)]
            status = Status.PLANNED if row.starts_at > now else Status.ACTIVE
            out |= {der.pk} if status == Status.ACTIVE else set()
            facts = {
                name: getattr(row, name) for name in ("kind", "cause", "starts_at", "expected_until", "available_kw", "reason", "notified")
            }
            made.append(DerOutage(der=der, aggregator_id=der.aggregator_id, edc_id=der.edc_id, status=status, reported_by=actor, **facts))
        if outcome.refused and not only_good:
            return outcome
        outcome.taken = DerOutage.objects.bulk_create(made)
        log.of_outages(outcome.taken, actor=actor, act="outage_told", before="in service")
        _tell(outcome.taken)
        if outcome.taken:
            log.followed(f"{counted(len(outcome.taken), 'outages of DERs')}")
    return outcome


def _broken(row: Told, der: Der | None, out: set[int], now: datetime) -> Rule | None:
    """The first rule that an outage breaks."""
    if der is None:
        return rules.DER
    if row.starts_at <= now and der.pk in out:
        return rules.TWICE
    if row.cause == Cause.PLANNED and row.starts_at < now:
        return rules.PAST
    if row.expected_until is not None and row.expected_until <= row.starts_at:
        return rules.ORDER
    left = row.available_kw
    if (row.kind == Kind.OUTAGE and left) or (row.kind == Kind.DERATE and not 0 < left < (der.nameplate_ac_kw or 0)):
        return rules.LEFT
    return None


def _tell(outages: list[DerOutage]) -> None:
    """The utilities of these DERs; each learns of its own."""
    by_utility = defaultdict(list)
    for each in outages:
        by_utility[each.der.edc].append(each)
    for edc, own in by_utility.items():
        subject = f"{counted(len(own), 'DERs')} of {own[0].der.aggregator} {'is' if len(own) == 1 else 'are'} out or derated"
        tell(edc, WATCHES, event=EVENT, subject=subject, url=reverse("operations:outages"), outages=own[:20])


def move(*, actor, outage: DerOutage, name: str, reason: str = "") -> None:
    """End a running outage, or cancel one to come. Raises NotPermitted, TransitionRefused, ReasonMissing."""
    transition_ = DerOutage.lifecycle.transitions[name]
    policy.require(actor, transition_.permission, outage.aggregator)
    values = {"ended_at": timezone.now()} if name == "end" else {}
    with transaction.atomic(), acting(actor, reason or transition_.title):
        held = DerOutage.objects.select_for_update(of=("self",)).select_related("der", "aggregator", "edc").get(pk=outage.pk)
        before = held.status
        DerOutage.lifecycle.move(DerOutage.objects.filter(pk=held.pk), name, actor=actor, reason=reason, **values)
        held.refresh_from_db(fields=["status"])
        log.of_outages([held], actor=actor, act=f"outage_{name}", before=before, reason=reason)
        tell(held.edc, WATCHES, event=EVENT, subject=f"{held}: {held.get_status_display().lower()}", url=reverse("operations:outages"))
        log.followed(str(held))


def begin_due() -> int:
    """Planned outages whose moment has come begin; returns how many. Idempotent; one of a DER that is out already waits."""
    begun, now = 0, timezone.now()
    due = DerOutage.objects.filter(status=Status.PLANNED, starts_at__lte=now).order_by("starts_at", "pk")
    for pk in list(due.values_list("pk", flat=True)):
        with transaction.atomic(), acting(None, "system: the outage begins"):
            held = due.select_for_update(of=("self",), skip_locked=True).select_related("der").filter(pk=pk).first()
            if held is None or DerOutage.objects.filter(der=held.der_id, status=Status.ACTIVE).exists():
                continue
            DerOutage.lifecycle.move(DerOutage.objects.filter(pk=pk), "begin", actor=None, reason="system: the outage begins")
            held.status = Status.ACTIVE
            log.of_outages([held], actor=None, act="outage_begin", before=Status.PLANNED)
            log.followed(str(held))
            begun += 1
    return begun


def require_whole(outcome: Outcome) -> None:
    """Refuse a batch that was asked for as a whole. Raises Conflict naming the first rows."""
    if outcome.refused:
        said = "; ".join(f"row {number}: {rule.sentence} {rule.remedy}" for number, rule in outcome.refused[:5])
        raise Conflict(f"Nothing was taken. {said}", "Mend these rows, then send all again.", outcome.refused[0][1].code)
