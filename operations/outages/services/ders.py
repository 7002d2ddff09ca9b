"""Outages and derates of DERs: told by the batch, begun by the clock, ended by who told them."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.errors import Conflict
from moc.history import acting
from moc.notices.services import tell
from moc.rules import Rule
from moc.rulesets.models import RuleSet
from moc.units import counted
from operations.outages import rules
from operations.outages.models import DerOutage
from operations.outages.services import log
from registry.ders.models import Der

PERMISSION, WATCHES, EVENT = "file_ders", "manage_grid", "der_outage"
FACTS = ("kind", "cause", "starts_at", "expected_until", "available_kw", "reason", "notified")
BACK_DAYS = "telemetry_back_days"  # an outage before them explains no reading that can still come
MOST_TOLD = 200  # faults of a batch; who mends these sends the rest again
Kind, Cause, Status = DerOutage.Kind, DerOutage.Cause, DerOutage.Status


@dataclass(frozen=True)
class Told:
    """An outage as it is told: the DER by its id, or its aggregator's. Available power in kW; moments with offset."""

    der: str
    kind: str
    cause: str
    starts_at: datetime
    reason: str
    expected_until: datetime | None = None
    available_kw: Decimal = Decimal(0)
    notified: str = ""


@dataclass(frozen=True)
class Unread:
    """A row that is no outage: the rules that it breaks, each with the value as it was given."""

    broken: tuple[tuple[Rule, str], ...]


@dataclass(frozen=True)
class Refusal:
    """A row (from 1) that breaks a rule, with the value that does so, and what the remedy is today, where it goes by the day."""

    row: int
    rule: Rule
    value: str = ""
    today: str = ""

    @property
    def remedy(self) -> str:
        return f"{self.rule.remedy} {self.today}".strip()

    @property
    def sentence(self) -> str:
        """The value, what is wrong with it, and the remedy."""
        given = f"“{self.value[:60]}”: " if self.value else ""
        return f"{given}{self.rule.sentence} {self.remedy}"

    def __str__(self) -> str:
        return f"Row {self.row}{', ' * bool(self.rule.column)}{self.rule.column}: {self.sentence}"


@dataclass
class Outcome:
    """What became of a batch."""

    taken: list[DerOutage] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)


def report(*, actor, rows: list[Told | Unread], only_good: bool = False) -> Outcome:
    """Tell outages of one's own DERs: all, or with `only_good` those that are in order. Each utility is told once for the batch."""
    if not policy.allows(actor, PERMISSION):
        raise policy.NotPermitted("You may not tell outages of DERs.")
    outcome, now = Outcome(), timezone.now()
    with transaction.atomic(), acting(actor, f"Told {counted(len(rows), 'outages of DERs')}"):
        known = _known(actor, {row.der for row in rows if isinstance(row, Told)})
        out = set(DerOutage.objects.filter(der__in=known.values(), status=Status.ACTIVE).values_list("der", flat=True))
        made, first = [], now - timedelta(days=float(RuleSet.objects.value_of(BACK_DAYS, timezone.localdate())))
        for number, row in enumerate(rows, start=1):
            broken = _broken(number, row, known, out, now, first)
            if broken:
                outcome.refused += broken
                continue
            der = known[row.der]
            status = Status.PLANNED if row.starts_at > now else Status.ACTIVE
            out |= {der.pk} if status == Status.ACTIVE else set()
            facts = {name: getattr(row, name) for name in FACTS}
            made.append(DerOutage(der=der, aggregator_id=der.aggregator_id, edc_id=der.edc_id, status=status, reported_by=actor, **facts))
        if outcome.refused and not only_good:
            return outcome
        outcome.taken = DerOutage.objects.bulk_create(made)
        log.of_outages(outcome.taken, actor=actor, act="outage_told", before="in service")
        _tell(outcome.taken)
        if outcome.taken:
            log.followed(f"{counted(len(outcome.taken), 'outages of DERs')}")
    return outcome


def _known(actor, names: set[str]) -> dict[str, Der]:
    """The actor's registered DERs by the names given: their ids, or the aggregator's own; locked. One name of two DERs names none."""
    uuids = {name for name in names if _is_uuid(name)}
    mine = Der.objects.registered().filter(aggregator__in=policy.reach(actor, PERMISSION))
    mine = mine.filter(Q(uuid__in=uuids) | Q(external_id__in=names - uuids))
    found = defaultdict(list)
    for der in mine.select_for_update(of=("self",)).order_by("pk"):
        for name in {str(der.uuid), der.external_id} & names:
            found[name].append(der)
    return {name: ders[0] for name, ders in found.items() if len(ders) == 1}


def _broken(number: int, row: Told | Unread, known: dict[str, Der], out: set[int], now: datetime, first: datetime) -> list[Refusal]:
    """What is wrong with a row: all that makes it unreadable, or the first rule that an outage breaks."""
    if isinstance(row, Unread):
        return [Refusal(number, rule, value) for rule, value in row.broken]
    der = known.get(row.der)
    if der is None:
        return [Refusal(number, rules.DER, row.der)]
    if row.starts_at < first:
        return [Refusal(number, rules.OLD, _local(row.starts_at), f"Today that is from {_local(first)} on.")]
    if row.starts_at <= now and der.pk in out:
        return [Refusal(number, rules.TWICE, der.external_id)]
    if row.cause == Cause.PLANNED and row.starts_at < now:
        return [Refusal(number, rules.PAST, _local(row.starts_at))]
    if row.expected_until is not None and row.expected_until <= row.starts_at:
        return [Refusal(number, rules.ORDER, _local(row.expected_until))]
    left = row.available_kw
    if (row.kind == Kind.OUTAGE and left) or (row.kind == Kind.DERATE and not 0 < left < (der.nameplate_ac_kw or 0)):
        return [Refusal(number, rules.LEFT, f"{left} kW")]
    return []


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _local(moment: datetime) -> str:
    try:
        return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}"
    except (ValueError, OverflowError):  # of the year 1
        return str(moment)


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
    """Refuse a batch that was asked for as a whole. Raises Conflict naming the rows."""
    if outcome.refused:
        remedy = "Mend these rows, then send all again."
        raise Conflict(f"Nothing was taken. {' '.join(told_of(outcome))}", remedy, outcome.refused[0].rule.code)


def told_of(outcome: Outcome) -> list[str]:
    """What is wrong, a sentence for each refusal; of very many the first."""
    said, more = [str(each) for each in outcome.refused[:MOST_TOLD]], len(outcome.refused) - MOST_TOLD
    return [*said, f"{counted(more, 'more faults')} of other rows."] if more > 0 else said
