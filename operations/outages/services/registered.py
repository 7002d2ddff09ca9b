"""Acts of the registry that change what can be delivered become entries of the operational log.

The registry lies below and knows no log: the beat looks for what is newer than what the log tells. Each entry names what it tells of, and
names it once, so a look is idempotent and may come late; it stops before the oldest transaction still open, whose versions it would miss.
"""

import json
from collections.abc import Callable
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q

from moc import sight
from moc.bulk import fetch_sql
from moc.history import horizon
from operations.outages.models import LogEntry
from operations.outages.services import log
from registry.ders.models import DECIDED, Der
from registry.grid.models import Feeder
from registry.submissions.kinds import Kind
from registry.submissions.models import Decision

AT_ONCE = 200  # entries of one look; what is left is told by the next
MOVES = {Kind.SUSPEND: "ders_suspend", Kind.REINSTATE: "ders_reinstate", Kind.RETIRE: "ders_retire"}
Row = tuple


def look() -> int:
    """Whatever the registry decided since the last look; returns the number of entries written. Idempotent."""
    with sight.engine():
        return decisions()


def decisions() -> int:
    """Decisions that limit DERs, issue settings to them, or take them out of service or back into it: one entry each."""
    Version = Decision.history.model
    since = LogEntry.objects.filter(decision__isnull=False).aggregate(last=Max("told_in"))["last"] or 0
    limiting = Q(kind=Decision.Kind.APPROVE_LIMITED) | Q(inverter_settings__isnull=False) | Q(review__submission__kind__in=MOVES)
    carried = Q(kind__in=(Decision.Kind.APPROVE, Decision.Kind.APPROVE_LIMITED, Decision.Kind.DEEMED, Decision.Kind.NOTICE))
    begun = Version.objects.filter(limiting, carried, history_type="+", transaction_id__gte=since, transaction_id__lt=horizon())
    new = begun.exclude(Exists(LogEntry.objects.filter(decision=OuterRef("id")))).order_by("transaction_id", "history_id")
    found = list(new.values_list("id", "transaction_id", "history_date")[:AT_ONCE])
    return sum(_once(Decision, pk, _decided, told_in, moment) for pk, told_in, moment in found)


def _once(model, pk: int, tell: Callable[..., None], *known) -> bool:
    """Tell of a record unless another look did or does so at the moment."""
    with transaction.atomic():
        held = model.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=pk).first()
        if held is None or LogEntry.objects.filter(**{model._meta.model_name: held}).exists():
            return False
        tell(held, *known)
        return True


def _decided(decision: Decision, told_in: int, moment) -> None:
    review = decision.review
    submission = review.submission
    of = {"submission": submission.pk, "edc": review.edc_id, "decision": decision.pk}
    groups = fetch_sql("decided", of | {"transaction": told_in, "since": moment})
    former, present = ([row[1:] for row in groups if row[0] is after] for after in (False, True))
    feeders = list(Feeder.objects.filter(pk__in={row[0] for row in present if row[0]}).order_by("code"))
    act = MOVES.get(submission.kind) or ("decision_settings" if decision.kind != Decision.Kind.APPROVE_LIMITED else "decision_limits")
    log.write(
        actor=decision.decided_by or (submission.submitted_by if decision.kind == Decision.Kind.NOTICE else None),
        act=act,
        subject=f"{decision.title}: {submission.title}",
        reason=submission.reason if submission.kind in MOVES else decision.statement,
        edc=review.edc,
        aggregator=review.aggregator,
        feeder=feeders[0] if len(feeders) == 1 else None,
        decision=decision,
        told_in=told_in,
        at=decision.confirmed_at or decision.decided_at,
        before=_state(former),
        after=_state(present) | {"feeders": [feeder.code for feeder in feeders]},
    )


def _state(groups: list[Row]) -> dict:
    """DERs as the log tells them: how many, their nameplate that is in service (kW), their status, and what the utility set.

    groups: (feeder, status, *DECIDED, DERs, nameplate kW)."""
    status = {row[1] for row in groups}
    facts = {"ders": sum(row[-2] for row in groups), "in_service_kw": float(sum(row[-1] for row in groups if row[1] == Der.Status.ACTIVE))}
    facts["status"] = ", ".join(Der.Status(each).label.lower() for each in sorted(status)) or None
    return facts | {name: _alike([row[2 + number] for row in groups]) for number, name in enumerate(DECIDED)}


def _alike(values: list):
    """The value that all have (objects come as JSON text); of different numbers the range."""
    first = values[0] if values else None
    if all(value == first for value in values):
        return None if first is None else float(first) if isinstance(first, Decimal) else json.loads(first)
    some = [value for value in values if value is not None]
    if isinstance(some[0], Decimal):
        told = " to ".join(dict.fromkeys(f"{end.normalize():f}" for end in (min(some), max(some))))
    else:
        told = "different ones" if len(set(some)) > 1 else some[0]
    return told + (", or none" if len(some) < len(values) else "")
