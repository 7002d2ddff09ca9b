"""Order, publish, hold, edit, deactivate and acknowledge envelopes."""

import hashlib
import json
from datetime import datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from moc.notices.services import tell
from operations.computed import services as computed
from operations.envelopes import reports
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.services import base, ruled, situation, telling
from operations.envelopes.services import limits as decided
from operations.envelopes.services.telling import ACKNOWLEDGES
from operations.network.models import NetworkVersion
from operations.outages.services import log
from registry.ders.models import Der
from registry.grid.models import Feeder

PERMISSION = "manage_grid"
KEPT = ("method", "robust", "reactive", "loading_percent")
EXACT = ("v_min_pu", "v_max_pu", "default_import_kw", "default_export_kw", "outage_import_kw", "outage_export_kw")
MOST_INTERVALS, STEP_MINUTES = 576, 30
FURTHEST_DAYS = 14  # that people order: nobody knows the grid's state, or the load, of a day further away
Status = EnvelopeRun.Status


def policy_for(feeder: Feeder) -> EnvelopePolicy:
    """The policy of a feeder: its own, its utility's, or the defaults."""
    own = EnvelopePolicy.objects.filter(edc=feeder.edc_id, feeder=feeder).first()
    return own or EnvelopePolicy.objects.filter(edc=feeder.edc_id, feeder=None).first() or EnvelopePolicy(edc_id=feeder.edc_id)


def values_of(chosen: EnvelopePolicy) -> dict:
    """A policy's values as runs keep them."""
    places = {name: EnvelopePolicy._meta.get_field(name).decimal_places for name in EXACT}
    exact = {name: f"{Decimal(getattr(chosen, name)):.{digits}f}" for name, digits in places.items()}
    return {name: getattr(chosen, name) for name in KEPT} | exact


def own_values(feeder: Feeder) -> dict:
    """What a feeder's policy and its utility's decisions say of its envelopes."""
    return decided.among(values_of(policy_for(feeder)), decided.digests(feeder=feeder.pk).get(feeder.pk))


def values_for(feeder: Feeder, starts_at: datetime) -> dict:
    """The values by which a feeder's envelopes from a moment on are computed: its own, as the rule rows of that day bind them."""
    return ruled.of_a_look()(own_values(feeder), feeder.edc_id, starts_at)


def order(
    *, actor, feeder: Feeder, starts_at: datetime, hours: int, step_minutes: int, caps: dict | None = None, reason: str = ""
) -> EnvelopeRun:
    """Have a feeder's envelopes computed in the background. The same feeder, topology, window and policy give the run that there is.

    The window begins with the interval that is running at starts_at, on the clock. caps: {der id: [least, most] kW injected}.
    Raises UserError (ENV-NETWORK, ENV-WINDOW)."""
    starts_at = starts_at.replace(minute=starts_at.minute // step_minutes * step_minutes, second=0, microsecond=0)
    if actor is not None and not 0 <= (timezone.localdate(starts_at) - timezone.localdate()).days <= FURTHEST_DAYS:
        raise UserError(
            f"Envelopes cannot be ordered from {timezone.localtime(starts_at):%Y-%m-%d} on.",
            f"Begin today, or on one of the next {FURTHEST_DAYS} days.",
            "ENV-WINDOW",
        )
    return order_until(
        actor=actor,
        feeder=feeder,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
        step_minutes=step_minutes,
        caps=caps,
        reason=reason,
    )


def order_until(
    *,
    actor,
    feeder: Feeder,
    starts_at: datetime,
    ends_at: datetime,
    step_minutes: int,
    caps: dict | None = None,
    room: dict | None = None,
    reason: str = "",
) -> EnvelopeRun:
    """As order(), up to a moment; with what is out, switched or derated in the window, now and as planned, and by the forecasts of now.

    room: what is granted, {der id: [least, most, from, to]}; without, that of the window's newest run."""
    if actor is not None:
        policy.require(actor, PERMISSION, feeder.edc)
    versions = NetworkVersion.objects.select_related("feeder__substation")
    network = versions.filter(feeder=feeder, status=NetworkVersion.Status.CURRENT).first()
    if network is None:
        raise UserError(f"Feeder {feeder} has no current network.", "Load its model and have it approved.", "ENV-NETWORK")
    if not 0 < (ends_at - starts_at).total_seconds() // (60 * step_minutes) <= MOST_INTERVALS:
        raise UserError(f"A window has 1 to {MOST_INTERVALS} intervals.", "Choose fewer hours or longer intervals.", "ENV-WINDOW")
    found = situation.of(network, starts_at, ends_at, timedelta(minutes=step_minutes))
    window = {"feeder": feeder, "starts_at": starts_at, "ends_at": ends_at, "step_minutes": step_minutes}
    said = {
        "policy": values_for(feeder, starts_at),
        "caps": caps or {},
        "room": _granted(feeder, starts_at, ends_at) if room is None else room,
        "forecasts": sorted(base.standing([feeder.pk], starts_at, ends_at).get(feeder.pk, {}).values()),
    }
    key = window | {"topology_hash": _topology(network, found), "digest": _digest(said, found)}
    facts = said | {"edc": feeder.edc, "network": network, "situation": found, "created_by": actor, "status": Status.COMPUTING}
    said_why = reason or ("system: envelopes are due" if actor is None else "Envelopes ordered")
    key |= {"status__in": EnvelopeRun.LIVE}
    return computed.ordered(EnvelopeRun, key, facts, actor=actor, reason=said_why, title=f"Envelopes of {feeder}")[0]


def _granted(feeder: Feeder, starts_at: datetime, ends_at: datetime) -> dict:
    """The room that the newest run of a window holds."""
    runs = EnvelopeRun.objects.of_feeder(feeder).overlapping(starts_at, ends_at).filter(status__in=EnvelopeRun.LIVE)
    return runs.order_by("-pk").values_list("room", flat=True).first() or {}


def _digest(said: dict, found: dict) -> str:
    """SHA-256 of what decides a run beside its network and window; what is empty decides nothing."""
    decides = [
        said["policy"],
        said["caps"],
        *([found | {"events": []}] if found else []),
        *([{name: said[name]} for name in ("room", "forecasts") if said[name]]),
    ]
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()


def _topology(network: NetworkVersion, found: dict) -> str:
    """The hash of the network as a situation leaves it; of all its hashes where that changes within the window."""
    if not found:
        return network.topology_hash
    from operations.network.services.building import feeder_of  # here: 80 MB of solver, where something has happened only

    left = [situation.changed(feeder_of(network), said)[0].topology_hash for _, said in found.get("spans", [[None, found]])]
    return left[0] if len(set(left)) == 1 else hashlib.sha256("".join(left).encode()).hexdigest()


def order_days(feeder: Feeder) -> list[EnvelopeRun]:
    """Have today's and tomorrow's envelopes of a feeder computed, from midnight to midnight, where nothing was ordered for its network.

    What people made of a day (limits of their own, a set held or taken out) stays. Returns the runs that were ordered."""
    midnights = [timezone.make_aware(datetime.combine(timezone.localdate() + timedelta(days=day), time())) for day in range(3)]
    ordered = []
    for starts_at, ends_at in pairwise(midnights):
        touched = EnvelopeRun.objects.of_feeder(feeder).filter(starts_at__lte=max(starts_at, timezone.now()), ends_at__gte=ends_at)
        touched = touched.filter(network__status=NetworkVersion.Status.CURRENT).exclude(status=Status.SUPERSEDED)
        if not touched.exists():
            hours = int((ends_at - starts_at).total_seconds() // 3600)
            ordered.append(order(actor=None, feeder=feeder, starts_at=starts_at, hours=hours, step_minutes=STEP_MINUTES))
    return ordered


def order_hour(feeder: Feeder, now: datetime | None = None) -> EnvelopeRun | None:
    """Have the hour that begins computed in the policy's intervals, with the operator's own limits of the day; the day's set stays in force
    before it is published, and outside of it.

    None where the policy does not say so, nothing is in force, or an operator holds the hour's newest set or took it out."""
    now, chosen = now or timezone.now(), policy_for(feeder)
    if not (chosen.rolling_minutes and chosen.auto_publish):
        return None
    runs = EnvelopeRun.objects.of_feeder(feeder).filter(network__status=NetworkVersion.Status.CURRENT, starts_at__lte=now, ends_at__gt=now)
    newest = runs.filter(status__in=(Status.PUBLISHED, Status.HELD, Status.DEACTIVATED)).order_by("-number").first()
    if newest is None or newest.status != Status.PUBLISHED:
        return None
    return order(actor=None, feeder=feeder, starts_at=now, hours=1, step_minutes=chosen.rolling_minutes, caps=newest.caps)


def edit(*, actor, run: EnvelopeRun, der: Der, least_kw: float, most_kw: float, reason: str) -> EnvelopeRun:
    """An operator's own limits for one DER: the run is computed anew with them, to be checked and published in its place.

    Raises UserError (ENV-EDIT) for a DER that the run does not hold, or limits in the wrong order."""
    policy.require(actor, PERMISSION, run.edc)
    held = {pk for ders in (run.blocks.values_list("ders", flat=True).first() or []) for pk in ders}
    if der.pk not in held:
        raise UserError("This DER is not in the set.", "Choose one that is.", "ENV-EDIT")
    if least_kw > most_kw:
        raise UserError("The least injection is above the most.", "Exchange them.", "ENV-EDIT")
    caps = run.caps | {str(der.pk): [float(least_kw), float(most_kw)]}
    window = {"starts_at": run.starts_at, "ends_at": run.ends_at, "step_minutes": run.step_minutes}
    return order_until(actor=actor, feeder=run.feeder, caps=caps, reason=reason, **window)


@transaction.atomic
def publish(*, actor, run: EnvelopeRun, reason: str = "") -> None:
    """Publish a set under the feeder's next number, and tell each aggregator whose limits changed.

    It takes the place of older sets in its window. What these say outside of it stays in force; one with nothing left is superseded."""
    if actor is not None:
        policy.require(actor, PERMISSION, run.edc)
    Feeder.objects.select_for_update(of=("self",)).get(pk=run.feeder_id)
    rows, now = EnvelopeRun.objects.filter(pk=run.pk), timezone.now()
    before = EnvelopeRun.objects.of_feeder(run.feeder_id).exclude(pk=run.pk).overlapping(run.starts_at, run.ends_at)
    before = before.filter(status__in=(Status.PUBLISHED, Status.HELD))
    last_set, changed = before.order_by("-number").first(), telling.changed(run, before, now)
    before = _replaced(run, before, now)
    reason = reason or ("Published" if actor else "system: the set passed its check")
    with acting(actor, reason):
        if before.exists():
            EnvelopeRun.lifecycle.move(before, "supersede", actor=None, reason="system: a newer set was published")
        last = EnvelopeRun.objects.of_feeder(run.feeder_id).aggregate(last=Max("number"))["last"] or 0
        facts = {"number": run.number or last + 1, "content_hash": content_hash(run), "published_at": now}
        EnvelopeRun.lifecycle.move(rows, "publish", actor=actor, reason=reason, **facts)
        run.refresh_from_db()
        _point_to(run, now)
        is_plain = not (run.situation or (last_set and last_set.situation))
        telling.send(actor, run, changed, is_routine=is_plain and actor is None and run.created_by_id is None)
        was = {"set": last_set.number, **reports.room_of(last_set, run.starts_at)} if last_set else {"set": None}
        _log(actor, run, "publish", reason, was, {"set": run.number, **reports.room_of(run)})


def _replaced(run: EnvelopeRun, before, now: datetime):
    """Of sets those that have nothing left to come outside of a new one's window."""
    within = before.filter(ends_at__lte=run.ends_at)
    return within if run.starts_at <= now else within.filter(starts_at__gte=run.starts_at)


def _log(actor, run: EnvelopeRun, move: str, reason: str, before: dict, after: dict) -> None:
    """What the set changes, in the operational log; beside the first event that it takes account of."""
    event = next(iter(run.situation.get("events", [])), None)
    said = {"reason": reason, "event_id": event, "before": before, "after": after}
    log.write(actor=actor, act=f"envelopes_{move}", subject=str(run), edc=run.edc, feeder=run.feeder, **said)


def content_hash(run: EnvelopeRun) -> str:
    """SHA-256 over what a set says: of which feeder and hours it is, its DERs, and their limits in kW and kvar."""
    whose = [run.edc_id, run.feeder_id, run.starts_at.isoformat(), run.ends_at.isoformat(), run.step_minutes]
    digest = hashlib.sha256(json.dumps(whose).encode())
    for block in run.blocks.order_by("bound"):
        digest.update(json.dumps([block.bound, block.unit_kw, block.ders, block.kvar_unit, block.kvar_rows]).encode())
        digest.update(b"".join(map(bytes, (block.limits, block.least_kvar, block.most_kvar))))
    return digest.hexdigest()


def _point_to(run: EnvelopeRun, now: datetime) -> None:
    """The latest envelope of every DER in the set is this one."""
    ders = run.blocks.values_list("ders", flat=True).first() or []
    parties = dict(Der.objects.filter(pk__in=[pk for row in ders for pk in row]).values_list("pk", "aggregator_id"))
    facts = {"edc_id": run.edc_id, "feeder_id": run.feeder_id, "run": run, "published_at": now}
    made = [EnvelopePoint(der_id=pk, aggregator_id=parties.get(pk), row=row, **facts) for row, each in enumerate(ders) for pk in each]
    columns = ["aggregator", "edc", "feeder", "run", "row", "published_at"]
    EnvelopePoint.objects.bulk_create(made, update_conflicts=True, unique_fields=["der"], update_fields=columns, batch_size=5_000)


def hold(*, actor, run: EnvelopeRun, reason: str) -> None:
    """Keep a published set back for now: an older set that is valid then holds, else the limits without envelope."""
    _withdraw(actor, run, "hold", reason)


def deactivate(*, actor, run: EnvelopeRun, reason: str) -> None:
    """Take a set out for good: an older set that is valid then holds, else the limits without envelope."""
    _withdraw(actor, run, "deactivate", reason)


@transaction.atomic
def _withdraw(actor, run: EnvelopeRun, move: str, reason: str) -> None:
    policy.require(actor, PERMISSION, run.edc)
    EnvelopeRun.lifecycle.move(EnvelopeRun.objects.filter(pk=run.pk), move, actor=actor, reason=reason)
    sets = EnvelopeRun.objects.of_feeder(run.feeder_id).overlapping(run.starts_at, run.ends_at)
    older = sorted({each.number for each, since, until in sets.in_force() if since < run.ends_at and until > run.starts_at})
    with acting(actor, reason):
        after = {"set": older[-1] if older else None}
        _log(actor, run, move, reason, {"set": run.number, **reports.room_of(run)}, after)
    subject = f"Envelopes of feeder {run.feeder.code}, set {run.number}, are out of force"
    for receipt in run.receipts.select_related("aggregator").order_by("aggregator"):
        said = {"event": "envelopes_withdrawn", "subject": subject, "url": telling.page_of(receipt), "run": run, "reason": reason}
        tell(receipt.aggregator, ACKNOWLEDGES, author=actor, older=[str(number) for number in older], **said)


def acknowledge(*, actor, receipt: EnvelopeReceipt, reason: str = "") -> None:
    """The aggregator has taken the set in."""
    policy.require(actor, ACKNOWLEDGES, receipt.aggregator)
    rows = EnvelopeReceipt.objects.filter(pk=receipt.pk)
    EnvelopeReceipt.lifecycle.move(rows, "acknowledge", actor=actor, reason=reason, acknowledged_at=timezone.now())


MOVES = {"publish": publish, "hold": hold, "deactivate": deactivate}
