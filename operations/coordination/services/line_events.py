"""Events of transmission lines: told by their RTO; whom they touch is found by the lines' factors, told, and logged."""

from django.db import transaction
from django.db.models import Count, Sum
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.history import acting
from moc.notices.services import tell
from operations.coordination.engine import NOTHING
from operations.coordination.models import LineEvent, LineTouched, MonitoredLine
from operations.coordination.services.limits import OF_RTO, followed
from operations.outages.services import log
from operations.outages.services.events import EVENT, OF_UTILITY
from registry.ders.models import Der
from registry.grid.models import TdInterface

Status = LineEvent.Status


def lines_of(user):
    """The lines of which a user may tell events: a queryset."""
    return MonitoredLine.objects.filter(tso__in=policy.reach_of(user, OF_RTO, Organization.Kind.TSO)).order_by("code")


def report(*, actor, event: LineEvent) -> LineEvent:
    """Tell an event that is not saved yet: find the interfaces behind it, tell whom it concerns, write the log.

    Raises ValidationError by field, NotPermitted."""
    policy.require(actor, OF_RTO, event.line.tso)
    event.tso = event.line.tso
    with transaction.atomic(), acting(actor, f"Told: {event}"[:300]):
        event.status = Status.PLANNED if event.starts_at > timezone.now() else Status.ACTIVE
        event.reported_by = actor
        event.full_clean()
        event.save(force_insert=True)
        LineTouched.objects.bulk_create(_touched(event))
        _done(event, actor=actor, act="line_event_told", before="in service", subject=f"{event}: {event.get_status_display().lower()}")
    return event


@sight.engine()  # whom it touches is found among all, and told to each of its own
def _touched(event: LineEvent) -> list[LineTouched]:
    """The interfaces of which an injection moves the line, each with its DERs by aggregator."""
    keys = [int(key) for key, factor in event.line.factors.items() if abs(factor) > NOTHING]
    ders = Der.objects.registered().filter(feeder__substation__td_interface__in=keys).order_by()
    place, found = "feeder__substation__td_interface", {(key, None): (0, 0) for key in keys}
    for key, aggregator, count, kw in ders.values_list(place, "aggregator").annotate(Count("pk"), Sum("nameplate_ac_kw")):
        found[key, aggregator] = (count, kw or 0)
    utilities = dict(TdInterface.objects.filter(pk__in=keys).values_list("pk", "edc"))
    return [
        LineTouched(event=event, tso=event.tso, td_interface_id=key, edc_id=utilities[key], aggregator_id=party, der_count=count, kw=kw)
        for (key, party), (count, kw) in found.items()
        if key in utilities
    ]


def move(*, actor, event: LineEvent, name: str, reason: str = "") -> None:
    """Restore, or cancel one to come; by its RTO. Raises NotPermitted, TransitionRefused, ReasonMissing."""
    policy.require(actor, OF_RTO, event.tso)
    values = {"restored_at": timezone.now()} if name == "restore" else {}
    with transaction.atomic(), acting(actor, reason or LineEvent.lifecycle.transitions[name].title):
        _moved(event.pk, name, actor, reason, values)


def begin_due() -> int:
    """Planned events whose moment has come begin; returns how many. Idempotent."""
    due, begun = LineEvent.objects.filter(status=Status.PLANNED, starts_at__lte=timezone.now()), 0
    for pk in list(due.values_list("pk", flat=True)):
        with transaction.atomic(), acting(None, "system: the event begins"):
            if due.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).exists():
                _moved(pk, "begin", None, "system: the event begins", {})
                begun += 1
    return begun


def _moved(pk: int, name: str, actor, reason: str, values: dict) -> None:
    rows = LineEvent.objects.filter(pk=pk)
    before = rows.get().status
    LineEvent.lifecycle.move(rows, name, actor=actor, reason=reason, **values)
    event = rows.select_related("tso", "line").get()
    subject = f"{event}: {event.get_status_display().lower()}"
    _done(event, actor=actor, act=f"line_event_{name}", before=before, subject=subject, reason=reason)


def _done(event: LineEvent, *, actor, act: str, before: str, subject: str, reason: str = "") -> None:
    """The log, a row for each utility that it touches; notices; and what changes now is computed anew."""
    with sight.engine():
        touched = list(event.touched.select_related("td_interface", "edc", "aggregator").order_by("td_interface", "pk"))
        url = reverse("operations:line_event", args=[event.uuid])
        for edc in {row.edc: None for row in touched} or [None]:
            own = [row for row in touched if row.edc == edc]
            after = {"status": event.status, "capacity_percent": event.capacity_percent, "ders": sum(row.der_count for row in own)}
            after |= {"kw": float(sum(row.kw for row in own)), "interfaces": ", ".join(dict.fromkeys(row.td_interface.code for row in own))}
            said = {"edc": edc, "tso": event.tso, "reason": reason or event.reason}
            log.write(actor=actor, act=act, subject=str(event), before={"status": before}, after=after, **said)
        parties = {row.edc: OF_UTILITY for row in touched} | {row.aggregator: "file_ders" for row in touched if row.aggregator}
        for party, permission in parties.items():
            tell(party, permission, event=EVENT, subject=subject, url=url, grid_event=event)
    if event.status in (Status.ACTIVE, Status.RESTORED):
        followed(event.line, event.tso)
