"""What events and outages change: the rest of each window is ordered anew on the feeders that they touch, and on no other."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from moc.notices.services import tell
from operations.envelopes.models import EnvelopeRun
from operations.envelopes.services import life, situation
from operations.network.models import NetworkVersion
from operations.outages.models import DerOutage, GridEvent

Status = EnvelopeRun.Status
STANDING = (Status.COMPUTING, Status.COMPUTED, Status.EVALUATED, Status.PUBLISHED)


def react(now: datetime | None = None) -> list[EnvelopeRun]:
    """Order the rest of every window whose newest run was computed in another situation than there is now. Idempotent.

    A window that an operator holds or took out of force stays as it is. Returns the runs that were ordered."""
    now, ordered = now or timezone.now(), []
    for version in _touched(now).select_related("feeder__edc", "feeder__substation").order_by("pk"):
        for run in _newest(version, now):
            starts_at = _from(run, now)
            if run.status in STANDING and starts_at < run.ends_at:
                found = situation.of(version, since=starts_at)
                if not situation.same(found, run.situation):
                    ordered.append(_again(run, starts_at))
    return ordered


def _touched(now: datetime):
    """The networks where something happens, or did when a window that is not over was computed."""
    unusual = EnvelopeRun.objects.filter(ends_at__gt=now).exclude(situation={}).values("feeder")
    events = GridEvent.objects.filter(status=GridEvent.Status.ACTIVE)
    out = DerOutage.objects.filter(status=DerOutage.Status.ACTIVE).values("der__feeder")
    places = Q(feeder__in=unusual) | Q(feeder__in=out) | Q(feeder__in=events.exclude(feeder=None).values("feeder"))
    places |= Q(feeder__in=events.exclude(transformer=None).values("transformer__feeder"))
    places |= Q(feeder__substation__td_interface__in=events.exclude(td_interface=None).values("td_interface"))
    return NetworkVersion.objects.filter(places, status=NetworkVersion.Status.CURRENT)


def _newest(version: NetworkVersion, now: datetime) -> list[EnvelopeRun]:
    """Of each end of a window the newest run that was not replaced, on a network's feeder."""
    runs = EnvelopeRun.objects.of_feeder(version.feeder).filter(network=version, ends_at__gt=now)
    runs = runs.exclude(status__in=(Status.SUPERSEDED, Status.FAILED))
    return list(runs.order_by("ends_at", "-pk").distinct("ends_at").select_related("feeder__edc"))


def _from(run: EnvelopeRun, now: datetime) -> datetime:
    """The beginning of the interval that is running, or of the window."""
    step = timedelta(minutes=run.step_minutes)
    return max(run.starts_at, run.starts_at + (now - run.starts_at) // step * step)


def _again(run: EnvelopeRun, starts_at: datetime) -> EnvelopeRun:
    facts = {"starts_at": starts_at, "ends_at": run.ends_at, "step_minutes": run.step_minutes, "caps": run.caps}
    return life.order_until(actor=None, feeder=run.feeder, reason="system: the grid is in another state", **facts)


def publish_or_tell(run: EnvelopeRun) -> None:
    """Publish what passed its check where the policy says so; else tell the utility that a set waits after a change of the grid."""
    if run.unchecked == 0 and life.policy_for(run.feeder).auto_publish:
        life.publish(actor=None, run=run)
    elif _replaces(run):
        subject = f"Envelopes of feeder {run.feeder.code} were computed anew and wait to be published"
        url = reverse("operations:envelope_run", args=[run.uuid])
        tell(run.edc, life.PERMISSION, event="envelopes_waiting", subject=subject, url=url, run=run)


def _replaces(run: EnvelopeRun) -> bool:
    """Whether a set in force was computed in another situation, so that it is wrong by now."""
    in_force = EnvelopeRun.objects.of_feeder(run.feeder).overlapping(run.starts_at, run.ends_at).published()
    return any(not situation.same(each.situation, run.situation) for each in in_force)
