"""The clocks of a dispute: each level's days, each party's turn. The law's rows set them, the beat escalates (¶299)."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from moc.access.models import Organization
from moc.history import acting
from moc.intervals import business_days_after, end_of_day_after
from moc.rulesets.law import Law
from moc.rulesets.models import RuleSet
from settlement.disputes.endings import Determination
from settlement.disputes.models import Dispute, Side
from settlement.disputes.services.parties import KEYS, OTHER, tell_sides

Level, Status = Dispute.Level, Dispute.Status
DAYS = {Level.PARTIES: "dispute_parties_days", Level.RTO: "dispute_rto_days", Level.RERRA: "dispute_rerra_days"}
MOVES = {Level.RTO: "escalate_to_rto", Level.RERRA: "escalate_to_rerra"}
REASON = "system: clocks of disputes"


def authorities(*organizations: Organization | None) -> list[str]:
    """The slugs whose rows of the law come before the default."""
    return [organization.slug for organization in organizations if organization is not None]


def row_of(key: str, tso: Organization | None, rerra: Organization | None) -> RuleSet:
    """The row of the law in force today: the RTO's, the regulator's, or the default. Raises LookupError: a number is never guessed."""
    found = Law.on(timezone.localdate()).row(key, *authorities(tso, rerra))
    if found is None:
        raise LookupError(f"No rule set row for {key}. Add one in the admin.")
    return found


def level_clock(level: str, tso: Organization | None, rerra: Organization | None, now: datetime) -> dict:
    """The columns of a dispute whose level begins now."""
    rule = row_of(DAYS[Level(level)], tso, rerra)
    return {"level": level, "clock_rule": rule, "due_at": end_of_day_after(now, int(rule.value), settings.TIME_ZONE)}


def turn_of(side: str, tso: Organization | None, rerra: Organization | None, now: datetime) -> dict:
    """The columns of a dispute in which it is this party's turn from now on."""
    days = int(row_of("dispute_statement_business_days", tso, rerra).value)
    return {"turn": side, "turn_due_at": business_days_after(now, days, settings.TIME_ZONE)}


def answer_due(dispute: Dispute, now: datetime) -> datetime:
    """Until when a request for information is to be answered."""
    days = int(row_of("info_response_business_days", dispute.tso, dispute.rerra).value)
    return business_days_after(now, days, settings.TIME_ZONE)


def next_level(dispute: Dispute) -> str:
    """Where a dispute goes whose time is over; empty where nobody is left to take it to."""
    first = row_of("dispute_next_level", dispute.tso, dispute.rerra).value
    wanted = {Level.PARTIES: [first, Level.RTO, Level.RERRA], Level.RTO: [Level.RERRA]}.get(dispute.level, [])
    known = {Level.RTO: dispute.tso, Level.RERRA: dispute.rerra}
    return next((level for level in wanted if known.get(level)), "")


def raise_level(dispute: Dispute, level: str, *, actor, reason: str, move: str = "") -> None:
    """Move a held dispute to a level: its clock and the turn begin anew, what was drafted lapses, and everybody concerned is told."""
    drafts, now = Determination.objects.filter(dispute=dispute, status=Determination.Status.PROPOSED), timezone.now()
    Determination.lifecycle.move(drafts, "lapse", actor=actor, reason="system: the dispute went to another level")
    since = {"rto_since" if level == Level.RTO else "rerra_since": now, "overdue_at": None}
    turn = turn_of(dispute.turn or Side.EDC, dispute.tso, dispute.rerra, now)
    values = level_clock(level, dispute.tso, dispute.rerra, now) | since | turn
    Dispute.lifecycle.move(Dispute.objects.filter(pk=dispute.pk), move or MOVES[Level(level)], actor=actor, reason=reason, **values)
    dispute.refresh_from_db()
    subject = f"{dispute}: {dispute.get_status_display().lower()}"
    tell_sides(dispute, event="dispute_escalated", subject=subject, author=actor, reason=reason)


def check_clocks(now: datetime | None = None) -> dict[str, int]:
    """The beat's look: disputes whose level's time is over go to the next, or are told of as overdue once; missed turns pass on.

    Idempotent; each dispute in a transaction of its own.
    """
    now = now or timezone.now()
    overdue, missed = Dispute.objects.overdue(now).filter(overdue_at__isnull=True), Dispute.objects.turn_missed(now)
    done = Counter({"escalated": 0, "overdue": 0, "passed": 0})
    done.update(_each(overdue, partial(_expire, now), f"{REASON}: the time for it is over"))
    done.update(_each(missed, partial(_pass_on, now), f"{REASON}: no statement came in time"))
    return dict(done)


def _each(rows: QuerySet[Dispute], act: Callable[[Dispute], str], reason: str) -> Iterator[str]:
    """Do it for each of the rows that is still among them once it is locked; one that somebody works on is left to the next look."""
    for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic(), acting(None, reason):
            held = rows.select_for_update(of=("self",), skip_locked=True).select_related(*KEYS).filter(pk=pk).first()
            done = act(held) if held is not None else ""
        if done:
            yield done


def _expire(now: datetime, dispute: Dispute) -> str:
    level = next_level(dispute)
    if level:
        raise_level(dispute, level, actor=None, reason=f"{REASON}: the {dispute.clock_rule.value} days were over")
        return "escalated"
    Dispute.objects.filter(pk=dispute.pk).update(overdue_at=now)
    tell_sides(dispute, event="dispute_overdue", subject=f"{dispute}: the days for it are over")
    return "overdue"


def _pass_on(now: datetime, dispute: Dispute) -> str:
    """A party that let its days pass has said nothing: it is the other's turn."""
    turn = turn_of(OTHER[Side(dispute.turn)], dispute.tso, dispute.rerra, now)
    Dispute.objects.filter(pk=dispute.pk).update(**turn)
    dispute.refresh_from_db()
    tell_sides(dispute, turn["turn"], event="dispute_turn", subject=f"{dispute}: it is your turn")
    return "passed"
