"""Settings that inverters were read back to have, held against what the utility's decision issued."""

from collections.abc import Iterable
from dataclasses import dataclass
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
from registry.prequalification.rules.numbers import Numbers

PERMISSION = "file_ders"
EARLY = timedelta(minutes=5)  # how far the reader's clock may be ahead
LIMITS = ("export_limit_kw", "import_limit_kw")
WORDS = {
    "volt_var": ("Volt-var curve", "reactive power (of rated kVA)"),
    "volt_watt": ("Volt-watt curve", "active power (of rated kW)"),
    "power_factor": ("Fixed power factor", ""),
    "max_w": ("Maximum active power (% of rated)", ""),
    "export_limit_kw": ("Export limit (kW)", ""),
    "import_limit_kw": ("Import limit (kW)", ""),
}  # each setting and limit as people read it, with its unit; of a curve also what its second coordinate is
TOLERANCES = ("readback_tolerance", "readback_tolerance_percent", "readback_tolerance_kw")


@dataclass(frozen=True)
class Told:
    """What an inverter was read to have: settings as `inverters.checked` gives them, limits by name."""

    der: Der
    at: datetime
    settings: dict
    limits: dict
    source: str = SettingsReadback.Source.PLATFORM

    @property
    def key(self) -> tuple[int, datetime]:
        """By what a reading is known."""
        return self.der.pk, self.at

    def says(self, kept: SettingsReadback) -> bool:
        """Whether what is kept says the same."""
        facts = (self.settings, self.source, *(self.limits[name] for name in LIMITS))
        return facts == (kept.inverter_settings, kept.source, *(getattr(kept, name) for name in LIMITS))


def told(der: Der, at: datetime, inverter_settings: dict, source: str = SettingsReadback.Source.PLATFORM, **limits) -> Told:
    """A reading, checked. Raises UserError (READBACK-AT, READBACK-SETTINGS, READBACK-SOURCE)."""
    if at > timezone.now() + EARLY:
        raise UserError("this moment is in the future.", "Give when the inverter was read.", "READBACK-AT", ("at",))
    if source not in SettingsReadback.Source.values:
        raise UserError("this is none.", f"Choose one of {', '.join(SettingsReadback.Source.values)}.", "READBACK-SOURCE", ("source",))
    try:
        said = inverters.checked(inverter_settings)
    except inverters.WrongSettings as wrong:
        raise UserError(str(wrong), "Give them as they were issued.", "READBACK-SETTINGS", ("inverter_settings",)) from wrong
    return Told(der, at, said, {name: limits.get(name) for name in LIMITS}, source)


def tell(*, actor, der: Der, **said) -> SettingsReadback:
    """Keep what a DER's inverter was read back to have; where it differs from what was issued, both parties get a finding.

    The same again is known. Raises NotPermitted, UserError (those of `told`, and READBACK-CHANGED for another reading of the moment)."""
    policy.require(actor, PERMISSION, der.aggregator)
    one = told(der, **said)
    kept = keep(actor=actor, readings=[one])[0][one.key]
    if not one.says(kept):
        said = "another reading of this DER and moment is kept."
        raise UserError(said, "Give when the inverter was read anew.", "READBACK-CHANGED", ("at",))
    return kept


def keep(*, actor, readings: Iterable[Told]) -> tuple[dict[tuple, SettingsReadback], int]:
    """Keep readings of DERs for which the actor may speak: (what is kept by (DER, moment), how many are new), in as many statements
    as for one. The first of a DER and moment stands. Raises NotPermitted."""
    readings = list(readings)
    if not {each.der.aggregator_id for each in readings} <= set(policy.reach(actor, PERMISSION)):
        raise policy.NotPermitted(f"{actor} may not speak for these DERs.")
    parties = {"der__in": {each.der.pk for each in readings}, "at__in": {each.at for each in readings}}
    bounds = bounds_of({each.der.edc_id for each in readings})
    with transaction.atomic(), acting(actor, "Settings read back"):
        known = set(SettingsReadback.objects.filter(**parties).values_list("der", "at"))
        fresh = {}
        for each in readings:
            if each.key not in known:
                fresh.setdefault(each.key, each)
        made = [_made(each, compare(each.der, each.settings, each.limits, bounds[each.der.edc_id])) for each in fresh.values()]
        SettingsReadback.objects.bulk_create(made, ignore_conflicts=True)
        kept = {(each.der_id, each.at): each for each in SettingsReadback.objects.filter(**parties)}
    cases = [Case(each.der_id, each.at, float(read), float(issued), what) for each in made for what, read, issued in each.differences]
    if cases:
        reliability.keep(ReliabilityFinding.Rule.SETTINGS, cases)
    return kept, len(made)


def _made(one: Told, comparison: list[list]) -> SettingsReadback:
    other = [
        [what if read is not None else f"{what}, not set", read or 0.0, issued] for what, read, issued, _, same in comparison if not same
    ]
    parties = {"aggregator_id": one.der.aggregator_id, "edc_id": one.der.edc_id}
    facts = {"inverter_settings": one.settings, "comparison": comparison, "differences": other, "source": one.source}
    return SettingsReadback(der=one.der, at=one.at, **parties, **facts, **one.limits)


def bounds_of(utilities: Iterable[int], day=None) -> dict[int, dict[str, float]]:
    """The tolerances of today by utility, each a rule `readback_…`. Raises LookupError naming the rows that are missing."""
    law = Numbers.on(day or timezone.localdate())
    return {edc: {key: float(value or 0) for key, value in law.of_utility(TOLERANCES, edc).items()} for edc in utilities}


def compare(der: Der, said: dict, limits: dict, bounds: dict[str, float]) -> list[list]:
    """[what, read back, issued, tolerance, same] of every issued setting, and of every issued limit that was read back.

    What is not set reads None. A limit below the issued one keeps it."""
    found = []
    wanted = der.inverter_settings or {}
    for name in (each for each in inverters.KINDS if each in wanted):
        issued, read = wanted[name], said.get(name)
        if isinstance(issued, list):
            found += _curves(name, read or [], issued, bounds["readback_tolerance"])
            continue
        tolerance = bounds["readback_tolerance_percent" if name == "max_w" else "readback_tolerance"]
        found.append([WORDS[name][0], read, issued, tolerance, read is not None and _near(read, issued, tolerance)])
    tolerance = bounds["readback_tolerance_kw"]
    for name in LIMITS:
        issued, read = getattr(der, name), limits[name]
        if issued is not None and read is not None:
            found.append([WORDS[name][0], read, float(issued), tolerance, read <= float(issued) + tolerance])
    return found


def _near(read: float, issued: float, tolerance: float) -> bool:
    return abs(read - issued) <= tolerance + 1e-9


def _curves(name: str, read: list, issued: list, tolerance: float) -> list[list]:
    curve, second = WORDS[name]
    if len(read) != len(issued):
        return [[f"{curve}, number of points", float(len(read)), float(len(issued)), 0.0, False]]
    parts = ("voltage (per unit)", second)
    return [
        [f"{curve}, point {number}: {part}", got, wanted, tolerance, _near(got, wanted, tolerance)]
        for number, (one, other) in enumerate(zip(read, issued, strict=True), 1)
        for part, got, wanted in zip(parts, one, other, strict=True)
    ]
