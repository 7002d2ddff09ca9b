"""Who holds a DER from which day on: end a tenure, begin one, hand over; and the clock that moves the DERs when the day has come.

Days are whole days in the state's time zone, half open: `on` is the first day without the old aggregator, or with the new one. A tenure
is planned, running or ended; only a running one moves `Der.aggregator`, and the database refuses any other writer that does.
"""

from collections.abc import Iterable
from datetime import date

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Case, CharField, DateField, Exists, F, Func, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce
from django.utils import timezone
from psycopg import sql

from moc.access import policy
from moc.access.models import Organization
from moc.access.tenure import local_day
from moc.bulk import fetch_sql, insert_select
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.services import tell
from registry.ders.models import Der, DerTenure
from registry.participants.models import DerOwner

Status = DerTenure.Status
PERMISSION, BATCH = "manage_tenures", 20_000
COLUMNS = ("der_id", "aggregator_id", "edc_id", "external_id", "status", "is_first", "valid_during")
OVERLAPS = {"tenure_one_at_a_time", "tenure_open"}


def hold(aggregators: Iterable[int], *, alone: bool = False) -> None:
    """Keep the tenures of these aggregators as they are until the transaction ends; `alone`, to switch them."""
    lock = "pg_advisory_xact_lock" if alone else "pg_advisory_xact_lock_shared"
    fetch_sql("hold", {"aggregators": sorted(set(aggregators))}, lock=sql.SQL(lock))


def end_tenure(*, actor, ders: QuerySet[Der], on: date, reason: str) -> int:
    """End the tenures of a set of DERs, all or nothing; `on` is the first day without. Returns how many ended, now or on that day.

    One that is planned to begin on that day never begins. Raises NotPermitted; UserError for a missing reason, a past day, or DERs
    that nobody holds then.
    """
    _check(actor, ders, on, reason)
    with acting(actor, reason.strip()):
        keys = _locked(ders, on)
        number = _end(keys, on)
        _switch_if_due(keys, on)
    return number


def begin_tenure(*, actor, ders: QuerySet[Der], aggregator: Organization, on: date, reason: str) -> int:
    """Give a set of DERs to an aggregator from `on` on, all or nothing. Returns how many.

    Raises NotPermitted; UserError for a missing reason, a past day, or an organisation that is no aggregator; Conflict where somebody
    holds a DER on that day or later, or it is decommissioned.
    """
    _check(actor, ders, on, reason, aggregator)
    with acting(actor, reason.strip()):
        keys = _locked(ders, on, aggregator)
        _begin(keys, aggregator, on)
        _switch_if_due(keys, on)
    return len(keys)


def hand_over(*, actor, ders: QuerySet[Der], aggregator: Organization, on: date, reason: str) -> int:
    """End the running tenures and begin another aggregator's on the same day, all or nothing. Returns how many; raises as both."""
    _check(actor, ders, on, reason, aggregator)
    with acting(actor, reason.strip()):
        keys = _locked(ders, on, aggregator)
        _replace(keys, keys, aggregator, on)
    return len(keys)


def take_over(*, ders: QuerySet[Der], aggregator: Organization, on: date) -> int:
    """Hand DERs over, those that nobody holds too; for a service that has checked the right and the day, inside acting()."""
    keys = _locked(ders, on, aggregator)
    held = set(DerTenure.objects.on(on).filter(der_id__in=keys).values_list("der_id", flat=True))
    _replace(keys, [key for key in keys if key in held], aggregator, on)
    return len(keys)


def _replace(keys: list[int], held: list[int], aggregator: Organization, on: date) -> None:
    """No gap and no overlap: what is held ends on the day on which the other begins."""
    if DerTenure.objects.on(on).filter(der_id__in=keys, aggregator=aggregator).exists():
        raise Conflict("The aggregator holds some of these DERs on that day already.", "Take them out of the selection.", "TENURE-HELD")
    _end(held, on)
    _begin(keys, aggregator, on)
    _switch_if_due(keys, on)


def apply_due(today: date | None = None) -> int:
    """Switch all tenures whose day has come, in batches of one transaction each; returns how many DERs moved. Idempotent."""
    today, moved = today or timezone.localdate(), 0
    while True:
        with acting(None, "system: the day of the tenure has come"):
            due = list(DerTenure.objects.due(today).order_by("id").values_list("der_id", flat=True)[:BATCH])
            if not due:
                return moved
            moved += switch(set(due), today)


def _check(actor, ders: QuerySet, on: date, reason: str, aggregator: Organization | None = None) -> None:
    if actor is not None and ders.exclude(pk__in=Der.objects.visible_to(actor, PERMISSION).values("pk")).exists():
        raise policy.NotPermitted(f"{actor} may not change the tenures of all of these DERs.")
    if not reason.strip():
        raise UserError("A change of tenure needs a reason.", "Say why in a sentence; both aggregators can read it.", "REASON_MISSING")
    if on < timezone.localdate():
        raise UserError("A tenure ends or begins today or later.", "What was seen and filed so far stands; choose a day.", "TENURE-PAST")
    if aggregator is not None and (aggregator.kind != Organization.Kind.AGGREGATOR or not aggregator.is_active):
        raise UserError("Only an active aggregator can hold DERs.", "Choose an aggregator.", "TENURE-AGGREGATOR")


def _locked(ders: QuerySet, on: date, aggregator: Organization | None = None) -> list[int]:
    """The keys of the DERs, in the order of their locks. What is switched at once waits for decisions on the aggregators' filings."""
    if on <= timezone.localdate():
        parties = set(ders.order_by().values_list("aggregator_id", flat=True).distinct()) - {None}
        hold(parties | ({aggregator.pk} if aggregator else set()), alone=True)
    keys = list(ders.select_for_update(of=("self",)).order_by("pk").values_list("pk", flat=True))
    if not keys:
        raise UserError("No DERs are selected.", "Select DERs, or change the filter.", "TENURE-EMPTY")
    return keys


def _end(keys: list[int], on: date) -> int:
    """Give the tenures of the day before an end, and drop those that were to begin on the day."""
    mine = DerTenure.objects.filter(der_id__in=keys)
    dropped, _ = mine.filter(status=Status.PLANNED, valid_during__startswith=on).delete()
    over = mine.filter(valid_during__contains=on).exclude(valid_during__startswith=on)
    ending = Func(
        Func(F("valid_during"), function="lower"), Value(on), function="daterange", output_field=DerTenure._meta.get_field("valid_during")
    )
    number = dropped + over.update(valid_during=ending, is_first=False)
    if number != len(keys):
        raise Conflict(
            f"{len(keys) - number} of {len(keys)} DERs have no tenure that could end on that day: nobody holds them, or it begins then.",
            "Take them out of the selection, or choose another day.",
            "TENURE-NONE",
        )
    return number


def _begin(keys: list[int], aggregator: Organization, on: date) -> None:
    """Plan the tenures; an end of the same aggregator's on that day, not carried out yet, is taken back instead."""
    if Der.objects.filter(pk__in=keys, status=Der.Status.DECOMMISSIONED).exists():
        raise Conflict("A decommissioned DER is handed to nobody.", "Take the decommissioned ones out of the selection.", "TENURE-RETIRED")
    held = DerTenure.objects.filter(der_id__in=keys, valid_during__overlap=DateRange(on, None))
    if held.exists():
        raise Conflict(
            f"{held.values('der_id').distinct().count()} of {len(keys)} DERs are held by an aggregator on that day or later.",
            "End that tenure first, or hand the DERs over.",
            "TENURE-HELD",
        )
    own = DerTenure.objects.filter(der_id__in=keys, aggregator=aggregator, valid_during__endswith=on).exclude(status=Status.ENDED)
    kept = set(own.values_list("der_id", flat=True))
    openly = Func(
        Func(F("valid_during"), function="lower"), Value(None), function="daterange", output_field=DerTenure._meta.get_field("valid_during")
    )
    try:
        with transaction.atomic():
            own.update(valid_during=openly)
            _plan([key for key in keys if key not in kept], aggregator, on)
    except IntegrityError as error:
        if getattr(error.__cause__.diag, "constraint_name", "") not in OVERLAPS:
            raise
        raise Conflict("Somebody else planned a tenure of these DERs meanwhile.", "Reload and try again.", "TENURE-HELD") from error


def _plan(keys: list[int], aggregator: Organization, on: date) -> None:
    text = CharField()
    rows = Der.objects.filter(pk__in=keys).values_list(
        "pk",
        Value(aggregator.pk),
        "edc_id",
        Value("", output_field=text),
        Value(str(Status.PLANNED), output_field=text),
        Value(False),
        Func(Value(on), Value(None), function="daterange", output_field=DerTenure._meta.get_field("valid_during")),
    )
    if keys:
        insert_select("registry_dertenure", COLUMNS, [rows])


def _switch_if_due(keys: list[int], on: date) -> None:
    today = timezone.localdate()
    if on <= today:
        switch(keys, today)


def switch(keys: Iterable[int], today: date) -> int:
    """End and begin the tenures of these DERs whose day has come, and move the DERs; inside acting(). Returns how many moved.

    Decisions on filings of the aggregators concerned are waited for, and wait.
    """
    due = DerTenure.objects.due(today).filter(der_id__in=list(keys))
    hold(due.order_by().values_list("aggregator_id", flat=True).distinct(), alone=True)
    touched = sorted(set(due.values_list("der_id", flat=True)))
    counts = {}
    for chunk in (touched[at : at + BATCH] for at in range(0, len(touched), BATCH)):
        mine = DerTenure.objects.due(today).filter(der_id__in=chunk)
        _count(counts, mine)
        mine.filter(status=Status.RUNNING).update(
            status=Status.ENDED, closing_id=_closing("history_id"), service_point_id=_closing("service_point_id")
        )
        mine.filter(status=Status.PLANNED, valid_during__endswith__lte=today).update(status=Status.ENDED)
        mine.filter(status=Status.PLANNED).update(status=Status.RUNNING, external_id=_own_name(today))
        _move(chunk)
    _tell(counts)
    return len(touched)


def _closing(column: str) -> Subquery:
    """A column of the version of the DER that stood when the last day of its tenure ended."""
    versions = Der.history.model.objects.annotate(day=local_day(F("history_date")))
    over = Func(OuterRef("valid_during"), function="upper", output_field=DateField())
    own = versions.filter(id=OuterRef("der_id"), aggregator_id=OuterRef("aggregator_id"), day__lt=over)
    return Subquery(own.order_by("-history_date", "-history_id").values(column)[:1])


def _own_name(today: date) -> Case:
    """What the new aggregator calls the DER: as in an earlier tenure of its own, or as before, or by its mRID where that name is taken."""
    earlier = DerTenure.objects.filter(der_id=OuterRef("der_id"), aggregator_id=OuterRef("aggregator_id")).exclude(external_id="")
    der = Der.objects.filter(pk=OuterRef("der_id"))
    name = Coalesce(Subquery(earlier.order_by("-id").values("external_id")[:1]), Subquery(der.values("external_id")[:1]))
    taken = Der.objects.filter(aggregator_id=OuterRef("aggregator_id"), external_id=OuterRef("name")).exclude(pk=OuterRef("der_id"))
    first = DerTenure.objects.due(today).filter(
        status=Status.PLANNED, aggregator_id=OuterRef("aggregator_id"), der__external_id=OuterRef("name"), der_id__lt=OuterRef("der_id")
    )
    mrid = Cast(Subquery(der.values("uuid")[:1]), CharField())
    named = DerTenure.objects.filter(pk=OuterRef("pk")).annotate(name=name)
    chosen = named.annotate(free=Case(When(Q(Exists(taken)) | Q(Exists(first)), then=mrid), default=F("name"), output_field=CharField()))
    return Subquery(chosen.values("free")[:1])


def _move(keys: Iterable[int]) -> None:
    """The DERs follow their running tenures. An owner is known as one aggregator filed him: the next does not see the former's customer."""
    running = DerTenure.objects.filter(der_id=OuterRef("pk"), status=Status.RUNNING)
    holder = Subquery(running.values("aggregator_id")[:1])
    own = DerOwner.objects.filter(pk=OuterRef(OuterRef("owner_id")), aggregator_id=OuterRef("aggregator_id"))
    lost = Exists(running.filter(~Exists(own)))
    Der.objects.filter(pk__in=keys).update(
        aggregator_id=holder,
        external_id=Coalesce(Subquery(running.values("external_id")[:1]), F("external_id")),
        owner_id=Case(When(lost, then=None), default=F("owner_id")),
    )


def _count(counts: dict, due: QuerySet) -> None:
    """Add to {(aggregator, status before): DERs}."""
    for aggregator, status in due.order_by().values_list("aggregator_id", "status"):
        counts[aggregator, status] = counts.get((aggregator, status), 0) + 1


def _tell(counts: dict) -> None:
    parties = Organization.objects.in_bulk({aggregator for aggregator, _ in counts})
    for (aggregator, status), number in counts.items():
        ended = status == Status.RUNNING
        tell(
            parties[aggregator],
            "file_ders",
            event="tenure_ended" if ended else "tenure_began",
            subject=f"Your tenure of {number:,} DERs has {'ended' if ended else 'begun'}",
            url="/registry/ders/?tenure=former" if ended else "/registry/ders/",
            number=number,
        )
