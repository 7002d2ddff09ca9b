"""Settings that inverters were read back to have, held against what the utility's decision issued."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from moc.access import policy
from moc.errors import UserError
from moc.history import acting
from operations.interconnection.models import SettingsReadback
from operations.reliability.models import ReliabilityFinding
from operations.reliability.reports import Case
from operations.reliability.services import findings as reliability
from registry.ders import inverters
from registry.ders.models import Der

PERMISSION = "file_ders"
TOLERANCE, TOLERANCE_KW = 0.005, 0.1  # of a per-unit value or a part; of a limit
EARLY = timedelta(minutes=5)  # how far the reader's clock may be ahead
LIMITS = ("export_limit_kw", "import_limit_kw")


def tell(
    *,
    actor,
    der: Der,
    at: datetime,
    inverter_settings: dict,
    export_limit_kw: float | None = None,
    import_limit_kw: float | None = None,
) -> SettingsReadback:
    """Keep what a DER's inverter was read back to have; where it differs from what was issued, both parties get a finding.

    The same DER and moment give what was told first. Raises NotPermitted, UserError (READBACK-SETTINGS, READBACK-AT)."""
    policy.require(actor, PERMISSION, der.aggregator)
    if at > timezone.now() + EARLY:
        raise UserError("at: this moment is in the future.", "Give when the inverter was read.", "READBACK-AT")
    try:
        said = inverters.checked(inverter_settings)
    except inverters.WrongSettings as wrong:
        raise UserError(f"inverter_settings: {wrong}", "Give them as they were issued.", "READBACK-SETTINGS") from wrong
    limits = {"export_limit_kw": export_limit_kw, "import_limit_kw": import_limit_kw}
    found = differences(der, said, limits)
    with transaction.atomic(), acting(actor, "Settings read back"):
        parties = {"aggregator_id": der.aggregator_id, "edc_id": der.edc_id}
        facts = parties | limits | {"inverter_settings": said, "differences": found}
        kept, made = SettingsReadback.objects.get_or_create(der=der, at=at, defaults=facts)
    if made and found:
        cases = [Case(der.pk, at, float(read), float(issued), what) for what, read, issued in found]
        reliability.keep(ReliabilityFinding.Rule.SETTINGS, cases)
    return kept


def differences(der: Der, said: dict, limits: dict) -> list[list]:
    """[what, read back, issued] of every issued setting and limit that is another; a setting that is not there reads 0."""
    found = []
    for name, issued in (der.inverter_settings or {}).items():
        read = said.get(name)
        if isinstance(issued, list):
            found += _curves(name, read or [], issued)
        elif read is None or abs(read - issued) > TOLERANCE:
            found.append([name if read is not None else f"{name}, not set", read or 0.0, issued])
    for name in LIMITS:
        issued = getattr(der, name)
        if issued is not None and limits[name] is not None and limits[name] > float(issued) + TOLERANCE_KW:
            found.append([f"{name.replace('_kw', '')} (kW)", limits[name], float(issued)])
    return found


def _curves(name: str, read: list, issued: list) -> list[list]:
    if len(read) != len(issued):
        return [[f"{name}, points of the curve", float(len(read)), float(len(issued))]]
    parts = ("voltage (per unit)", "value")
    return [
        [f"{name}, point {number}: {part}", got, wanted]
        for number, (one, other) in enumerate(zip(read, issued, strict=True), 1)
        for part, got, wanted in zip(parts, one, other, strict=True)
        if abs(got - wanted) > TOLERANCE
    ]
