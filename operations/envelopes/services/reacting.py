"""What events, outages, policies and newer forecasts change, now and as planned: the rest of each window is ordered anew on the feeders
that they touch, and on no other."""

from datetime import date, datetime, timedelta

from django.db.models import Max, Q
from django.urls import reverse
from django.utils import timezone

from moc.notices.services import tell
from operations.envelopes.models import EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import base, life, limits, ruled, situation
from operations.network.models import NetworkVersion
from operations.outages.models import DerOutage, GridEvent
from operations.outages.queries import coming

Status = EnvelopeRun.Status
STANDING = (Status.COMPUTING, Status.COMPUTED, Status.EVALUATED, Status.PUBLISHED)
OVER = (Status.SUPERSEDED, Status.FAILED)


def react(now: datetime | None = None) -> list[EnvelopeRun]:
    """Order the rest of every window whose newest run was computed in another situation, by another policy, or by an older forecast, than
    there is. Idempotent.

    A window that an operator holds or took out of force stays as it is. Returns the runs that were ordered."""
    now, ordered, bound = now or timezone.now(), [], ruled.of_a_look()
    forecasts = _forecasts(now)
    for version in _touched(now, forecasts).select_related("feeder__edc", "feeder__substation").order_by("pk"):
        own, latest = life.own_values(version.feeder), forecasts.get(version.feeder_id, {})
        for run in _newest(version, now):
            starts_at = _from(run, now)
            if run.status not in STANDING or starts_at >= run.ends_at:
                continue
            is_other = run.policy != bound(own, run.edc_id, starts_at) or _newer(latest, run, starts_at)
            if is_other or not _stands(version, run, starts_at):
                ordered.append(_again(run, starts_at))
    return ordered


def give_room(granted: dict[int, dict], now: datetime | None = None) -> list[EnvelopeRun]:
    """Order the rest of every window whose newest run holds other granted room than there is. Idempotent.

    granted: of each feeder with any {der id: [least, most, from, to]}. Returns the runs that were ordered."""
    now, ordered = now or timezone.now(), []
    holding = EnvelopeRun.objects.filter(ends_at__gt=now, status__in=STANDING).exclude(room={}).values("feeder")
    versions = NetworkVersion.objects.filter(Q(feeder__in=list(granted)) | Q(feeder__in=holding), status=NetworkVersion.Status.CURRENT)
    for version in versions.select_related("feeder__edc", "feeder__substation").order_by("pk"):
        room = granted.get(version.feeder_id, {})
        for run in _newest(version, now):
            starts_at = _from(run, now)
            if run.status in STANDING and starts_at < run.ends_at and run.room != room:
                ordered.append(_again(run, starts_at, room=room))
    return ordered


def _stands(version: NetworkVersion, run: EnvelopeRun, since: datetime) -> bool:
    """Whether the rest of a window is in the situation that its run was computed for."""
    found = situation.of(version, since, run.ends_at, timedelta(minutes=run.step_minutes))
    return situation.same(run, EnvelopeRun(starts_at=since, ends_at=run.ends_at, situation=found))


def _forecasts(now: datetime) -> dict[int, dict[date, int]]:
    """By feeder and day the forecasts by which windows that are not over would be computed now."""
    windows = EnvelopeRun.objects.filter(ends_at__gt=now).exclude(status__in=OVER)
    last = windows.aggregate(last=Max("ends_at"))["last"]
    return base.standing(windows.values("feeder"), now, last, now) if last else {}


def _newer(latest: dict[date, int], run: EnvelopeRun, since: datetime) -> bool:
    """Whether one of these forecasts is of a day in the rest of a run's window, and not among those that it was computed by."""
    first, last = timezone.localdate(since), timezone.localdate(run.ends_at - base.INSTANT)
    return any(first <= day <= last and pk not in run.forecasts for day, pk in latest.items())


def _touched(now: datetime, forecasts: dict[int, dict[date, int]]):
    """The networks where something happens, is planned to, or did when a window that is not over was computed; of which the policy changed,
    or a newer forecast stands."""
    windows = EnvelopeRun.objects.filter(ends_at__gt=now)
    happening = coming(windows.aggregate(last=Max("ends_at"))["last"] or now)
    events, out = GridEvent.objects.filter(happening), DerOutage.objects.filter(happening).values("der__feeder")
    places = Q(feeder__in=windows.exclude(situation={}).values("feeder")) | Q(feeder__in=_of_other_policies(windows, now))
    known = windows.exclude(status__in=OVER).filter(feeder__in=list(forecasts)).only("feeder", "starts_at", "ends_at", "forecasts")
    places |= Q(feeder__in={run.feeder_id for run in known if _newer(forecasts[run.feeder_id], run, max(run.starts_at, now))})
    places |= Q(feeder__in=out) | Q(feeder__in=events.exclude(feeder=None).values("feeder"))
    places |= Q(feeder__in=events.exclude(transformer=None).values("transformer__feeder"))
    places |= Q(feeder__substation__td_interface__in=events.exclude(td_interface=None).values("td_interface"))
    return NetworkVersion.objects.filter(places, status=NetworkVersion.Status.CURRENT)


def _of_other_policies(windows, now: datetime) -> list[int]:
    """The feeders of which a run that is not replaced was computed by another policy, other rule rows or other limits of DERs than hold:
    three queries, and the law once a day."""
    rows = windows.exclude(status__in=OVER).order_by().values_list("edc", "feeder", "policy", "starts_at").distinct()
    kept = {(each.edc_id, each.feeder_id): life.values_of(each) for each in EnvelopePolicy.objects.all()}
    plain, told = life.values_of(EnvelopePolicy()), limits.digests(feeder__networks__status=NetworkVersion.Status.CURRENT)
    own = {(edc, feeder): limits.among(kept.get((edc, feeder), kept.get((edc, None), plain)), told.get(feeder)) for edc, feeder, *_ in rows}
    bound = ruled.of_a_look()
    return [feeder for edc, feeder, values, since in rows if values != bound(own[edc, feeder], edc, max(since, now))]


def _newest(version: NetworkVersion, now: datetime) -> list[EnvelopeRun]:
    """Of each end of a window the newest run that was not replaced, on a network's feeder; in the order in which they were ordered, as of
    sets whose windows overlap the later one holds."""
    runs = EnvelopeRun.objects.of_feeder(version.feeder).filter(network=version, ends_at__gt=now)
    runs = runs.exclude(status__in=OVER)
    return sorted(runs.order_by("ends_at", "-pk").distinct("ends_at").select_related("feeder__edc"), key=lambda run: run.pk)


def _from(run: EnvelopeRun, now: datetime) -> datetime:
    """The beginning of the interval that is running, or of the window."""
    step = timedelta(minutes=run.step_minutes)
    return max(run.starts_at, run.starts_at + (now - run.starts_at) // step * step)


def _again(run: EnvelopeRun, starts_at: datetime, room: dict | None = None) -> EnvelopeRun:
    facts = {"starts_at": starts_at, "ends_at": run.ends_at, "step_minutes": run.step_minutes, "caps": run.caps}
    facts["room"] = run.room if room is None else room
    return life.order_until(actor=None, feeder=run.feeder, reason="system: the grid, the policy or the forecast is another", **facts)


def publish_or_tell(run: EnvelopeRun) -> None:
    """Publish what passed its check where the policy says so; else tell the utility that one waits that is to replace another."""
    if run.unchecked == 0 and life.policy_for(run.feeder).auto_publish:
        life.publish(actor=None, run=run)
    elif _replaces(run):
        subject = f"Envelopes of feeder {run.feeder.code} were computed anew and wait to be published"
        url = reverse("operations:envelope_run", args=[run.uuid])
        tell(run.edc, life.PERMISSION, event="envelopes_waiting", subject=subject, url=url, run=run)


def _replaces(run: EnvelopeRun) -> bool:
    """Whether a set in force was computed in another situation, by another policy or forecasts, or with other granted room or limits of
    operators."""
    in_force = EnvelopeRun.objects.of_feeder(run.feeder).overlapping(run.starts_at, run.ends_at).published()
    given = run.policy, run.caps, run.room
    others = {pk for each in in_force for pk in run.forecasts if pk not in each.forecasts}
    return bool(others) or any((each.policy, each.caps, each.room) != given or not situation.same(each, run) for each in in_force)
