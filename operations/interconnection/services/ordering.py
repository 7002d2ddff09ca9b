"""Have a study computed: pages and programs ask here, and need no solver in their memory."""

import hashlib
import json
from decimal import Decimal

from moc.access import policy
from moc.errors import UserError
from operations.computed import services as computed
from operations.interconnection.models import InterconnectionStudy
from operations.network.models import NetworkElement, NetworkPoint, NetworkVersion
from registry.ders import inverters
from registry.grid.models import Feeder

PERMISSION = "manage_grid"
PHASES = dict(zip("ABC123", "123123", strict=True))
MOST_KW = 50_000


def order(
    *,
    actor,
    feeder: Feeder,
    title: str,
    technology: str,
    rated_kw: Decimal,
    rated_kva: Decimal,
    charge_kw: Decimal = Decimal(0),
    service_point: str = "",
    bus: str = "",
    phases: str = "",
    inverter_settings: dict | None = None,
    accepted_percent: float = 5.0,
) -> InterconnectionStudy:
    """Study a new DER at a service point (by its id), or at phases of a bus; the same question about the same network gives the study there

    is. Raises NotPermitted, UserError (STUDY-NETWORK, STUDY-POINT, STUDY-RATING, STUDY-SETTINGS)."""
    policy.require(actor, PERMISSION, feeder.edc)
    network = NetworkVersion.objects.filter(feeder=feeder, status=NetworkVersion.Status.CURRENT).first()
    if network is None:
        raise UserError(f"Feeder {feeder} has no current network.", "Load its model and have it approved.", "STUDY-NETWORK")
    _require_rating(rated_kw, charge_kw, rated_kva)
    place = _place(network, service_point, bus, phases)
    facts = {"technology": technology, "rated_kw": rated_kw, "charge_kw": charge_kw, "rated_kva": rated_kva}
    facts |= {"inverter_settings": _settings(inverter_settings), "accepted_percent": accepted_percent}
    key, of_network = computed.of(network)
    key |= {"digest": _digest(facts | place), "status__in": ("computing", "done")}
    facts |= place | of_network | {"title": title, "created_by": actor, "status": "computing"}
    named = f"Study of {title}"
    return computed.ordered(InterconnectionStudy, key, facts, actor=actor, reason=f"{named} ordered", title=named)[0]


def _digest(facts: dict) -> str:
    """SHA-256 of what is studied, however its numbers are written."""
    said = {name: getattr(value, "pk", value) for name, value in facts.items()}
    said = {name: float(value) if isinstance(value, int | float | Decimal) else value for name, value in said.items()}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _require_rating(rated_kw: Decimal, charge_kw: Decimal, rated_kva: Decimal) -> None:
    if not 0 < max(rated_kw, charge_kw) <= MOST_KW:
        said = f"the rated power, or the maximum charge, is above 0 and at most {MOST_KW:,} kW."
        raise UserError(said, "Give what the DER injects, or draws, at the most.", "STUDY-RATING", ("rated_kw", "charge_kw"))
    if rated_kva < max(rated_kw, charge_kw):
        least = max(rated_kw, charge_kw)
        said = f"the apparent power is at least the active power, {least:f} kW."
        raise UserError(said, "Give the inverter's kVA.", "STUDY-RATING", ("rated_kva",))


def _settings(said: dict | None) -> dict:
    try:
        return inverters.checked(said or {})
    except inverters.WrongSettings as wrong:
        raise UserError(str(wrong), "Correct them, or leave them empty.", "STUDY-SETTINGS", ("inverter_settings",)) from wrong


def _place(network: NetworkVersion, service_point: str, bus: str, phases: str) -> dict:
    """Where on the network: a service point that is linked to it, or phases of a bus that it has."""
    if service_point:
        found = NetworkPoint.objects.filter(version=network, service_point__usage_point_id=service_point).first()
        if found is None:
            said = f"“{service_point}” is not on the current network of this feeder."
            raise UserError(said, "Choose one that is linked, or give a bus.", "STUDY-POINT", ("service_point",))
        return {"service_point": found.service_point, "bus": found.bus, "phases": ""}
    wanted = "".join(sorted({PHASES.get(letter, "?") for letter in phases.upper().replace(" ", "").replace(",", "")}))
    rows = NetworkElement.objects.filter(version=network)
    named = bus.strip().lower()
    if not named or not (rows.filter(from_bus__iexact=named).exists() or rows.filter(to_bus__iexact=named).exists()):
        if not named:
            said = "neither a service point nor a bus is named."
            raise UserError(said, "Name one of them; a bus with its phases.", "STUDY-POINT", ("service_point", "bus"))
        raise UserError(f"the network has no bus “{bus}”.", "Search the drawing of the network for its name.", "STUDY-POINT", ("bus",))
    if "?" in wanted or not wanted:
        said = "the phases are one to three of A, B and C."
        raise UserError(said, "Give those to which the DER is connected, such as A or BC.", "STUDY-POINT", ("phases",))
    return {"service_point": None, "bus": named, "phases": wanted}
