"""Which feeders need a map, and a map computed again; pages and programs ask here, and need no solver in their memory."""

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.history import acting
from moc.jobs import services as jobs
from operations.hosting.models import HostingMap
from operations.network.models import NetworkVersion

PERMISSION, TASK, SYSTEM = "manage_grid", "operations.hosting.tasks.compute", "system: hosting capacity is due"


def due() -> list[HostingMap]:
    """Order a map of every feeder whose current network has none of this month. Returns those that were ordered."""
    window = f"{timezone.localdate():%Y-%m}"
    known = set(HostingMap.objects.filter(window=window).values_list("feeder_id", "topology_hash"))
    current = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).select_related("feeder").order_by("pk")
    return [_ordered(each, window) for each in current if (each.feeder_id, each.topology_hash) not in known]


def _ordered(version: NetworkVersion, window: str) -> HostingMap:
    key = {"feeder": version.feeder, "topology_hash": version.topology_hash, "window": window}
    with transaction.atomic(), acting(None, SYSTEM):
        found, made = HostingMap.objects.get_or_create(**key, defaults={"edc_id": version.edc_id, "network": version})
        if made:
            _enqueue(None, found)
    return found


def _enqueue(actor, found: HostingMap) -> None:
    job = jobs.enqueue(actor=actor, task=TASK, title=str(found), map=found.pk)
    HostingMap.objects.filter(pk=found.pk).update(job=job)


def again(*, actor, found: HostingMap, reason: str = "") -> None:
    """Compute a map once more, with what is registered and measured by now. Raises NotPermitted, TransitionRefused."""
    policy.require(actor, PERMISSION, found.edc)
    with transaction.atomic(), acting(actor, reason or "Computed again"):
        HostingMap.lifecycle.move(HostingMap.objects.filter(pk=found.pk), "again", actor=actor, reason=reason)
        _enqueue(actor, found)
