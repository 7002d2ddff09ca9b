"""Which feeders need a map, one asked for, and one computed again; pages and programs ask here, and need no solver in their memory."""

from django.utils import timezone

from moc.access import policy
from moc.errors import UserError
from operations.computed import services as computed
from operations.hosting.models import HostingMap
from operations.network.models import NetworkVersion
from registry.grid.models import Feeder

PERMISSION, SYSTEM = "manage_grid", "system: hosting capacity is due"


def due() -> list[HostingMap]:
    """Order a map of every feeder whose current network has none of this month. Returns those that were ordered."""
    known = set(HostingMap.objects.filter(window=_window()).values_list("feeder_id", "topology_hash"))
    current = NetworkVersion.objects.filter(status=NetworkVersion.Status.CURRENT).select_related("feeder").order_by("pk")
    return [order(each) for each in current if (each.feeder_id, each.topology_hash) not in known]


def order(version: NetworkVersion, actor=None) -> HostingMap:
    """Order this month's map of a network, or give the one that there is; actor: None for the platform itself."""
    key, facts = computed.of(version)
    reason = "Hosting capacity ordered" if actor else SYSTEM
    return computed.ordered(HostingMap, key | {"window": _window()}, facts, actor=actor, reason=reason)[0]


def ask(*, actor, feeder: Feeder) -> HostingMap:
    """This month's map of a feeder's current network, without waiting for the night. Raises NotPermitted, UserError (HOSTING-NETWORK)."""
    policy.require(actor, PERMISSION, feeder.edc)
    version = NetworkVersion.objects.filter(feeder=feeder, status=NetworkVersion.Status.CURRENT).select_related("feeder").first()
    if version is None:
        raise UserError(f"Feeder {feeder} has no current network.", "Load its model and have it approved.", "HOSTING-NETWORK")
    return order(version, actor)


def _window() -> str:
    return f"{timezone.localdate():%Y-%m}"


def again(*, actor, found: HostingMap, reason: str = "") -> None:
    """Compute a map once more, with what is registered and measured by now. Raises NotPermitted, TransitionRefused."""
    policy.require(actor, PERMISSION, found.edc)
    computed.again(actor=actor, found=found, reason=reason or "Computed again")
