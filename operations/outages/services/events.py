"""Grid events: told by a utility, or of an interface by its RTO; whom they touch is found by topology, told, and logged."""

from datetime import datetime

from django.db import transaction
from django.db.models import Value
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.bulk import insert_select
from moc.errors import UserError
from moc.history import acting
from moc.notices.services import tell
from moc.units import counted
from operations.outages import reports
from operations.outages.models import GridEvent, TouchedDer
from operations.outages.services import log
from registry.ders.models import Der

OF_UTILITY, OF_RTO, EVENT = "manage_grid", "validate_aggregations", "grid_event"  # an RTO's operating people validate aggregations too
Status = GridEvent.Status
COLUMNS = ("event_id", "der_id", "aggregator_id", "edc_id")


def may_report(user) -> bool:
    """Utilities tell events on their grid, RTOs on their interfaces."""
    return bool(policy.reach_of(user, OF_UTILITY, Organization.Kind.EDC) | policy.reach_of(user, OF_RTO, Organization.Kind.TSO))


def report(*, actor, event: GridEvent) -> GridEvent:
    """Tell an event that is not saved yet: find what is behind it, tell whom it concerns, write the log.

    Raises ValidationError by field, UserError where the network does not tell, NotPermitted.
    """
    _own(actor, event)
    now = timezone.now()
    with transaction.atomic(), acting(actor, f"Told: {event}"[:300]):
        event.status = Status.PLANNED if event.starts_at > now else Status.ACTIVE
        event.reported_by = actor
        event.full_clean()
        points = reports.points_behind(event)
        event.save(force_insert=True)
        ders = Der.objects.registered().filter(edc=event.edc_id, service_point__in=points.values("pk"))
        row = {"event": Value(event.pk), "der": "pk", "aggregator": "aggregator_id", "edc": "edc_id"}
        insert_select(TouchedDer._meta.db_table, COLUMNS, [ders.order_by().values_list(*row.values())])
        facts = reports.counted(event) | {"point_count": points.count()}
        GridEvent.objects.filter(pk=event.pk).update(**facts)
        event.refresh_from_db()
        log.of_event(event, actor=actor, act="event_told", before="in service")
        _tell(event, f"{event}: {counted(event.point_count, 'service points')} are behind it")
        log.followed(str(event))
    return event


def _own(actor, event: GridEvent) -> None:
    """The place is the teller's own; an interface that its RTO tells of names the RTO."""
    places = [each for each in (event.td_interface, event.feeder, event.transformer) if each is not None]
    if len(places) != 1:
        raise UserError("Name one place.", "Name an interface, a feeder, or a transformer.", "EVENT-PLACE")
    event.edc = places[0].edc
    if policy.allows(actor, OF_UTILITY, event.edc):
        return
    market = event.td_interface and event.td_interface.pnode.tso
    if market is None or not policy.allows(actor, OF_RTO, market):
        raise policy.NotPermitted("You may not tell events here.")
    event.tso = market


def _tell(event: GridEvent, subject: str) -> None:
    """Each aggregator with DERs behind it, the utility where its RTO told it, the RTO where the utility's interface is meant."""
    url = reverse("operations:grid_event", args=[event.uuid])
    said = {"event": EVENT, "subject": subject, "url": url, "grid_event": event}
    parties = Organization.objects.filter(pk__in=event.touched.values("aggregator"))
    for aggregator in parties:
        tell(aggregator, "file_ders", **said)
    if event.tso_id:
        tell(event.edc, OF_UTILITY, **said)
    elif event.td_interface_id:
        tell(event.td_interface.pnode.tso, OF_RTO, **said)


def teller(event: GridEvent) -> tuple[str, Organization]:
    """Whose event it is to move: the permission, and the RTO or utility that told it."""
    return (OF_RTO, event.tso) if event.tso_id else (OF_UTILITY, event.edc)


def reschedule(*, actor, event: GridEvent, starts_at: datetime, expected_until: datetime | None, reason: str) -> None:
    """Give an event other times: one to come its beginning, still to come, and its end; one that goes on its end only.

    Raises NotPermitted, UserError (EVENT-OVER, EVENT-TIME)."""
    policy.require(actor, *teller(event))
    with transaction.atomic(), acting(actor, reason):
        held = GridEvent.objects.select_for_update(of=("self",)).get(pk=event.pk)
        if held.status not in (Status.PLANNED, Status.ACTIVE):
            raise UserError("The event is over or cancelled.", "Tell another one.", "EVENT-OVER")
        moved = starts_at != held.starts_at
        if moved and (held.status == Status.ACTIVE or starts_at <= timezone.now()):
            raise UserError("Only what is to come has another beginning, still to come.", "Keep it, or give a later one.", "EVENT-TIME")
        if expected_until is not None and expected_until <= max(starts_at, timezone.now()):
            raise UserError("It is expected back before it begins, or before now.", "Give a later moment, or none.", "EVENT-TIME")
        before = {name: value and value.isoformat() for name, value in _times(held).items()}
        GridEvent.objects.filter(pk=held.pk).update(starts_at=starts_at, expected_until=expected_until)
        event.refresh_from_db()
        log.of_event(event, actor=actor, act="event_reschedule", before=held.status, reason=reason, times=before)
        _tell(event, f"{event}: other times")
        log.followed(str(event))


def _times(event: GridEvent) -> dict:
    return {"starts_at": event.starts_at, "expected_until": event.expected_until}


def move(*, actor, event: GridEvent, name: str, reason: str = "") -> None:
    """Restore, or cancel one to come; by whom it was told. Raises NotPermitted, TransitionRefused, ReasonMissing."""
    transition_ = GridEvent.lifecycle.transitions[name]
    policy.require(actor, *teller(event))
    values = {"restored_at": timezone.now()} if name == "restore" else {}
    with transaction.atomic(), acting(actor, reason or transition_.title):
        _moved(event.pk, name, actor, reason, values)


def begin_due() -> int:
    """Planned events whose moment has come begin; returns how many. Idempotent."""
    due, begun = GridEvent.objects.filter(status=Status.PLANNED, starts_at__lte=timezone.now()), 0
    for pk in list(due.values_list("pk", flat=True)):
        with transaction.atomic(), acting(None, "system: the event begins"):
            if due.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).exists():
                _moved(pk, "begin", None, "system: the event begins", {})
                begun += 1
    return begun


def _moved(pk: int, name: str, actor, reason: str, values: dict) -> None:
    """The move with its log row and notices."""
    rows = GridEvent.objects.filter(pk=pk)
    before = rows.get().status
    GridEvent.lifecycle.move(rows, name, actor=actor, reason=reason, **values)
    event = rows.select_related("edc", "tso", "td_interface__pnode__tso", "feeder", "transformer").get()
    log.of_event(event, actor=actor, act=f"event_{name}", before=before, reason=reason)
    _tell(event, f"{event}: {event.get_status_display().lower()}")
    log.followed(str(event))
