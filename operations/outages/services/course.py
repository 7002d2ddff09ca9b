"""The course of an event of any kind: told, given other times, begun, restored or cancelled; each with its log, its notices, and what
is computed anew."""

from datetime import datetime

from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.errors import UserError
from moc.history import acting
from moc.notices.services import tell
from operations.outages.models import CapacityEvent
from operations.outages.queries import OPEN

OF_UTILITY, OF_RTO, EVENT = "manage_grid", "validate_aggregations", "grid_event"  # an RTO's operating people validate aggregations too
BEGINS = "system: the event begins"
Status = CapacityEvent.Status


def teller(event: CapacityEvent) -> tuple[str, Organization]:
    """Whose event it is to move: the permission, and the RTO or utility that told it."""
    return (OF_RTO, event.tso) if event.tso_id else (OF_UTILITY, event.edc)


def _times(event: CapacityEvent) -> dict:
    return {name: (moment := getattr(event, name)) and moment.isoformat() for name in ("starts_at", "expected_until")}


class Course:
    """What events of a kind go through. A kind says:

    own(actor, event): sets whose it is; raises NotPermitted, and UserError where it is at no place.
    find(event): writes down what is behind an event that is just saved.
    write(event, after, **said): the log of an act; after: what it left, of any kind.
    concerned(event): whom it concerns, each with the permission of those who are told there.
    follow(event, held): has computed anew what changes; held: as it was before the act, None of one that is told."""

    model: type[CapacityEvent]
    act = ""  # how the names of its acts begin in the log
    page = ""  # the name of an event's address; those of its other pages begin with it

    def report(self, *, actor, event: CapacityEvent) -> CapacityEvent:
        """Tell an event that is not saved yet: find what is behind it, tell whom it concerns, write the log.

        Raises ValidationError by field, UserError where the network does not tell, NotPermitted."""
        self.own(actor, event)
        with transaction.atomic(), acting(actor, f"Told: {event}"[:300]):
            event.status = Status.PLANNED if event.starts_at > timezone.now() else Status.ACTIVE
            event.reported_by = actor
            event.full_clean()
            event.save(force_insert=True)
            self.find(event)
            self._done(event, None, "told", actor=actor, news=self.news(event))
        return event

    def reschedule(self, *, actor, event: CapacityEvent, starts_at: datetime, expected_until: datetime | None, reason: str) -> None:
        """Give an event other times: one to come its beginning, still to come, and its end; one that goes on its end only.

        Raises NotPermitted, UserError (EVENT-OVER, EVENT-TIME)."""
        policy.require(actor, *teller(event))
        with transaction.atomic(), acting(actor, reason):
            held = self.model.objects.select_for_update(of=("self",)).get(pk=event.pk)
            if held.status not in OPEN:
                raise UserError("The event is over or cancelled.", "Tell another one.", "EVENT-OVER")
            moved, now = starts_at != held.starts_at, timezone.now()
            if moved and (held.status == Status.ACTIVE or starts_at <= now):
                raise UserError("Only what is to come has another beginning, still to come.", "Keep it, or give a later one.", "EVENT-TIME")
            if expected_until is not None and expected_until <= max(starts_at, now):
                raise UserError("It is expected back before it begins, or before now.", "Give a later moment, or none.", "EVENT-TIME")
            self.model.objects.filter(pk=held.pk).update(starts_at=starts_at, expected_until=expected_until)
            event.refresh_from_db()
            self._done(event, held, "reschedule", actor=actor, reason=reason, news="other times")

    def move(self, *, actor, event: CapacityEvent, name: str, reason: str = "") -> None:
        """Restore, or cancel one to come; by whom it was told. Raises NotPermitted, TransitionRefused, ReasonMissing."""
        policy.require(actor, *teller(event))
        values = {"restored_at": timezone.now()} if name == "restore" else {}
        with transaction.atomic(), acting(actor, reason or self.model.lifecycle.transitions[name].title):
            self._moved(event.pk, name, actor, reason, values)

    def begin_due(self) -> int:
        """Planned events whose moment has come begin; returns how many. Idempotent."""
        due, begun = self.model.objects.filter(status=Status.PLANNED, starts_at__lte=timezone.now()), 0
        for pk in list(due.values_list("pk", flat=True)):
            with transaction.atomic(), acting(None, BEGINS):
                if due.select_for_update(of=("self",), skip_locked=True).filter(pk=pk).exists():
                    self._moved(pk, "begin", None, BEGINS, {})
                    begun += 1
        return begun

    def _moved(self, pk: int, name: str, actor, reason: str, values: dict) -> None:
        rows = self.model.objects.filter(pk=pk)
        held = rows.get()
        self.model.lifecycle.move(rows, name, actor=actor, reason=reason, **values)
        event = rows.get()
        self._done(event, held, name, actor=actor, reason=reason, news=event.get_status_display().lower())

    def _done(self, event: CapacityEvent, held: CapacityEvent | None, name: str, *, actor, news: str, reason: str = "") -> None:
        before = {"status": held.status if held else "in service"}
        after = {"status": event.status, "capacity_percent": event.capacity_percent}
        if held and name == "reschedule":
            before, after = before | _times(held), after | _times(event)
        said = {"actor": actor, "act": f"{self.act}_{name}", "subject": str(event), "reason": reason or event.reason, "before": before}
        self.write(event, after, **said)
        url = reverse(self.page, args=[event.uuid])
        for party, permission in self.concerned(event):
            tell(party, permission, event=EVENT, subject=f"{event}: {news}", url=url, grid_event=event)
        self.follow(event, held)

    def may_tell(self, user) -> bool:
        """Whether there is a place of which the user may tell events."""
        return policy.allows(user, OF_RTO)

    def news(self, event: CapacityEvent) -> str:
        """What is said of it when it is told."""
        return event.get_status_display().lower()
