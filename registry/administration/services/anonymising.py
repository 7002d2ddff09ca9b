"""Personal data at the end of their period: owners without a DER, look-ups and sign-ins are forgotten; records and history stay. N12.

The periods are rows of the law, by regulator: `anonymised_years_…`; "none" keeps them. What a dispute holds waits.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.models import AccessEntry
from moc.accesslog.services import note
from moc.accounts import sessions
from moc.bulk import run_sql
from moc.history import acting
from moc.rulesets.kinds import NONE
from moc.rulesets.models import RuleSet
from moc.seals.destroying import YEAR, held_parties
from registry.ders.models import Der
from registry.participants.models import DerOwner
from registry.submissions.models import StagedDer
from registry.submissions.personal import StagedOwner
from registry.submissions.services import erasing
from registry.submissions.switching import LookUp

PERMISSION, BATCH = "audit", 1_000
OWNERS, LOOK_UPS, SIGN_INS = (f"anonymised_years_{kind}" for kind in ("owners", "look_ups", "sign_ins"))
SOON = timedelta(days=365)


@dataclass(frozen=True)
class Due:
    """What of one utility falls due: owners without a DER, those that are due today, within a year, held by a dispute, and done already.

    The rows of the law are None where nothing is ever anonymised.
    """

    edc: Organization
    owners_law: RuleSet | None
    look_ups_law: RuleSet | None
    idle: int
    due: int
    soon: int
    held: int
    done: int
    look_ups: int


def law(key: str, day: date, edc: Organization | None = None) -> RuleSet | None:
    """The row of the law in force for a utility, by its regulators; None where none is, or it says that nothing is anonymised."""
    rows = edc.overseen_by.filter(overseer__kind="rerra").order_by("overseer__slug") if edc else Organization.objects.none()
    try:
        row = RuleSet.objects.row_of(key, day, *rows.values_list("overseer__slug", flat=True)) if edc else RuleSet.objects.row_of(key, day)
    except LookupError:
        return None
    return None if row.value == NONE else row


def mark(today: date | None = None) -> int:
    """Write down since when which owners have no DER registered; one who has one again is no such. Returns how many are new. Idempotent."""
    today = today or timezone.localdate()
    with acting(None, "system: owners without a DER"):
        living = Der.objects.filter(owner=OuterRef("pk")).exclude(status=Der.Status.DECOMMISSIONED)
        DerOwner.objects.filter(Exists(living), idle_since__isnull=False).update(idle_since=None)
        return run_sql("mark_idle_owners", {"today": today, "zone": settings.TIME_ZONE})


def enforce(today: date | None = None) -> dict[str, int]:
    """Anonymise what is due, in batches of a transaction each; returns how many of what. Idempotent."""
    today = today or timezone.localdate()
    mark(today)
    found = dict.fromkeys(("owners", "look_ups", "sign_ins"), 0)
    held = held_parties()
    for edc in Organization.objects.filter(kind=Organization.Kind.EDC).order_by("pk"):
        if (row := law(OWNERS, today, edc)) is not None:
            found["owners"] += _owners(edc, row, today, held)
        if (row := law(LOOK_UPS, today, edc)) is not None and edc.pk not in held:
            found["look_ups"] += _look_ups(edc, row, today)
    if (row := law(SIGN_INS, today)) is not None:
        found["sign_ins"] = sessions.forget(_moment(row, today))
    return found


def preview(user, today: date | None = None) -> list[Due]:
    """What falls due, by utility in the user's reach."""
    policy.require(user, PERMISSION)
    return of_all(Organization.objects.filter(pk__in=policy.reach(user, PERMISSION)), today)


def of_all(organizations: QuerySet[Organization] | None = None, today: date | None = None) -> list[Due]:
    """What falls due of these utilities, or of all; the caller has asked policy.py, or runs the platform."""
    today, held = today or timezone.localdate(), held_parties()
    chosen = Organization.objects.all() if organizations is None else organizations
    return [_preview(edc, today, held) for edc in chosen.filter(kind=Organization.Kind.EDC).order_by("name")]


def _preview(edc: Organization, today: date, held: set[int]) -> Due:
    owners, look_ups = law(OWNERS, today, edc), law(LOOK_UPS, today, edc)
    rows, now, later = DerOwner.objects.filter(edc=edc), DerOwner.objects.none(), DerOwner.objects.none()
    if owners is not None:
        now, later = due(edc, owners, today), due(edc, owners, today + SOON)
    waiting = _held(now, edc, held).count()
    return Due(
        edc,
        owners,
        look_ups,
        idle=rows.filter(idle_since__isnull=False, erased_at=None).count(),
        due=now.count() - waiting,
        soon=later.count() - now.count(),
        held=waiting,
        done=rows.filter(idle_since__isnull=False, erased_at__isnull=False).count(),
        look_ups=_old_look_ups(edc, look_ups, today).count() if look_ups is not None else 0,
    )


def due(edc: Organization, row: RuleSet, today: date) -> QuerySet[DerOwner]:
    """Owners of a utility whose period is over on a day, and of whom nothing is filed that is still open."""
    same = {"account_index": OuterRef("account_index"), "row__edc": OuterRef("edc"), "row__aggregator": OuterRef("aggregator")}
    filed = StagedOwner.objects.filter(**same, row__status__in=StagedDer.OPEN)
    rows = DerOwner.objects.filter(edc=edc, erased_at=None, idle_since__lte=today - float(row.value) * YEAR)
    return rows.filter(~Exists(filed)).order_by("pk")


def _held(rows: QuerySet[DerOwner], edc: Organization, held: set[int]) -> QuerySet[DerOwner]:
    """Those of the rows that a dispute of a party keeps."""
    return rows if edc.pk in held else rows.filter(aggregator__in=held)


def _owners(edc: Organization, row: RuleSet, today: date, held: set[int]) -> int:
    if edc.pk in held:
        return 0
    reason, count = _reason(row), 0
    while True:
        with acting(None, f"system: {reason}"):
            batch = list(due(edc, row, today).exclude(aggregator__in=held).values_list("pk", flat=True)[:BATCH])
            done = erasing.anonymise(DerOwner.objects.filter(pk__in=batch), reason) if batch else 0
        if not done:
            return count
        count += done


def _look_ups(edc: Organization, row: RuleSet, today: date) -> int:
    with acting(None, f"system: {_reason(row)}"):
        number = _old_look_ups(edc, row, today).update(actor=None, ders=[])
        if number:
            said = {"record": str(LookUp._meta.verbose_name_plural), "subject": None, "columns": ["actor", "ders"]}
            text = f"{number} look-ups: {_reason(row)}"
            note(actor=None, holder=edc.pk, filed_by=None, purpose=AccessEntry.Purpose.ERASURE, text=text, **said)
    return number


def _old_look_ups(edc: Organization, row: RuleSet, today: date) -> QuerySet[LookUp]:
    return LookUp.objects.filter(~Q(ders=[]) | Q(actor__isnull=False), edc=edc, at__lt=_moment(row, today)).order_by()


def _moment(row: RuleSet, today: date) -> datetime:
    """The moment before which a period is over."""
    return timezone.make_aware(datetime.combine(today, time())) - float(row.value) * YEAR


def _reason(row: RuleSet) -> str:
    return f"retention of {row.value} years ({row.key}{f' of {row.authority}' if row.authority else ''})"
