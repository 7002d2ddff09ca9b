"""Acts of the registry that change what can be delivered become entries of the operational log.

The registry lies below and knows no log: the beat looks for what is newer than what the log tells. Each entry names what it tells of, and
names it once, so a look is idempotent and may come late; it stops before the oldest transaction still open, whose versions it would miss.
"""

import json
from collections.abc import Callable
from decimal import Decimal

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet

from moc import sight
from moc.bulk import fetch_sql
from moc.history import horizon
from operations.outages.models import LogEntry
from operations.outages.services import log
from registry.customers.models import OwnerAccount, PersonalUse
from registry.customers.reports import told
from registry.ders.models import DECIDED, Der
from registry.grid.models import Feeder
from registry.reconfigurations.models import FormerConnection, Reconfiguration
from registry.submissions.kinds import Kind
from registry.submissions.models import Decision

AT_ONCE = 200  # entries of one look; what is left is told by the next
MOVES = {Kind.SUSPEND: "ders_suspend", Kind.REINSTATE: "ders_reinstate", Kind.RETIRE: "ders_retire"}
Row = tuple


def look() -> int:
    """Whatever the registry did since the last look; returns the number of entries written. Idempotent."""
    with sight.engine():
        return decisions() + uses() + reconfigurations()


def decisions() -> int:
    """Decisions that limit DERs, issue settings to them, or take them out of service or back into it: one entry each."""
    limiting = Q(kind=Decision.Kind.APPROVE_LIMITED) | Q(inverter_settings__isnull=False) | Q(review__submission__kind__in=MOVES)
    carried = Q(kind__in=(Decision.Kind.APPROVE, Decision.Kind.APPROVE_LIMITED, Decision.Kind.DEEMED, Decision.Kind.NOTICE))
    new = since(Decision, "decision", "id").filter(limiting, carried, history_type="+")
    found = list(new.values_list("id", "transaction_id", "history_date")[:AT_ONCE])
    return sum(_once(Decision, pk, {"decision": pk}, _decided, told_in, moment) for pk, told_in, moment in found)


def uses() -> int:
    """What owners keep of their DERs, and give back: an entry each; a reserve that takes the place of another is one."""
    Version = PersonalUse.history.model
    same = {name: OuterRef(name) for name in ("transaction_id", "der", "kind")}
    kept = Version.objects.filter(history_type="+", **same).exclude(id=OuterRef("id"))
    stated, ended = Q(history_type="+"), Q(history_type="~", ended_at__isnull=False) & ~Exists(kept)
    found = list(since(PersonalUse, "use", "history_id").filter(stated | ended)[:AT_ONCE])
    return sum(_once(PersonalUse, version.id, {"use": version.pk}, _kept, version) for version in found)


def reconfigurations() -> int:
    """Service points that came to another feeder: an entry each act. They are few: those without an entry are asked for as such."""
    entry = LogEntry.objects.filter(reconfiguration=OuterRef("pk"))
    done = Reconfiguration.objects.filter(~Exists(entry), status=Reconfiguration.Status.DONE).order_by("done_at", "pk")
    found = list(done.values_list("pk", flat=True)[:AT_ONCE])
    return sum(_once(Reconfiguration, pk, {"reconfiguration": pk}, _moved) for pk in found)


def since(model, field: str, key: str) -> QuerySet:
    """Versions that no entry names by `field`, by transaction: from the newest that is told on, as far as is settled."""
    last = LogEntry.objects.filter(**{f"{field}__isnull": False}).aggregate(last=Max("told_in"))["last"] or 0
    written = model.history.model.objects.filter(transaction_id__gte=last, transaction_id__lt=horizon())
    return written.exclude(Exists(LogEntry.objects.filter(**{field: OuterRef(key)}))).order_by("transaction_id", "history_id")


def _once(model, pk: int, entry: dict, tell: Callable[..., None], *known) -> bool:
    """Tell of a record unless another look did or does so at the moment; entry: what names the entry."""
    with transaction.atomic():
        held = model.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).filter(pk=pk).first()
        if held is None or LogEntry.objects.filter(**entry).exists():
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


def _kept(use: PersonalUse, version) -> None:
    """By the owner, who is not named: the registry knows who, for whom it is to know. What ends otherwise has its own actor."""
    stated, versions = version.history_type == "+", PersonalUse.history.model.objects
    replaced = versions.filter(
        transaction_id=version.transaction_id, der=use.der_id, kind=use.kind, history_type="~", ended_at__isnull=False
    )
    former = replaced.order_by("-history_id").first() if stated else version
    by_owner = OwnerAccount.objects.filter(user=version.history_user_id).exists()
    then = Der.history.model.objects.filter(id=use.der_id, history_date__lte=version.history_date)
    place = then.order_by("-history_date", "-history_id").values("aggregator", "feeder", "external_id").first()
    log.write(
        actor=None if by_owner else version.history_user,
        act="owner_keeps" if stated else "owner_gives_back" if by_owner else "owner_ends",
        subject=f"{use.get_kind_display()} of {use.der.get_der_type_display()} {place['external_id']}",
        reason="The owner said so" if by_owner else version.history_change_reason or "",
        edc=use.edc,
        aggregator_id=place["aggregator"],
        feeder_id=place["feeder"],
        use_id=version.pk,
        told_in=version.transaction_id,
        at=version.history_date,
        before={"ders": 1, "kept": former and told(former)},
        after={"ders": 1, "kept": told(version) if stated else None},
    )


def _moved(made: Reconfiguration) -> None:
    version = Reconfiguration.history.model.objects.filter(id=made.pk, status=made.status).order_by("history_id").first()
    former = FormerConnection.objects.filter(reconfiguration=made).order_by()
    feeder = made.to_transformer.feeder if made.to_transformer else made.to_feeder or made.from_feeder
    log.write(
        actor=version.history_user,
        act="points_move",
        subject=str(made),
        reason=made.reason,
        edc=made.edc,
        feeder=feeder,
        reconfiguration=made,
        at=made.done_at,
        before={
            "feeders": sorted(set(former.filter(feeder__isnull=False).values_list("feeder__code", flat=True))),
            "nodes": sorted(set(former.filter(pnode__isnull=False).values_list("pnode__name", flat=True))),
        },
        after={"feeders": [feeder.code], "nodes": [made.preview["node"]], "service_points": made.point_count, "ders": made.der_count},
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
