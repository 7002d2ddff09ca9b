"""The DERs at a feeder's points: what each can do, what its utility allows, and how its reactive power goes with that."""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from operations.envelopes.solver.inverters import Capability, Inverters
from operations.network.models import NetworkPoint, NetworkVersion
from registry.ders.models import Der

RANGE = ("nameplate_ac_kw", "approved_export_kw", "approved_import_kw", "max_charge_kw", "export_limit_kw", "import_limit_kw")
WINDOWS = ("temporal_limits", "limits_by_time")
REACTIVE = ("inverter_settings", "rated_kva", "rated_inject_kvar", "rated_absorb_kvar")


class Device(NamedTuple):
    """Settings that the utility's decision issued, and ratings: kW, kVA, kvar injected and absorbed; None where they are not known."""

    settings: dict
    kw: float | None
    kva: float | None
    inject_kvar: float | None
    absorb_kvar: float | None

    @property
    def rule(self) -> str:
        """The setting that its reactive power follows; nothing where it is told how much."""
        return next((name for name in ("power_factor", "volt_var") if name in self.settings), "")

    @property
    def apparent(self) -> float:
        """Its rated kVA, else its rated kW."""
        return self.kva or self.kw or 0.0

    def held(self, least: float, most: float) -> tuple[float, float]:
        """Least and most injection (kW) within its maximum W, and within what a fixed power factor leaves of its kVA."""
        if "max_w" in self.settings and self.kw is not None:
            most = min(most, self.kw * self.settings["max_w"] / 100)
        bound = self.apparent * abs(self.settings["power_factor"]) if "power_factor" in self.settings else np.inf
        return max(least, -bound), min(most, bound)

    @property
    def known(self) -> bool:
        """Whether it has a registered reactive capability, free to be used."""
        return not self.rule and bool(self.inject_kvar or self.absorb_kvar)


class Capable(NamedTuple):
    """A DER, the place of its point in the arrays, its least and most injection (kW), its limits by time, and the device."""

    der: int
    place: int
    least: float
    most: float
    windows: list[dict]
    device: Device


@dataclass(frozen=True)
class Active:
    """The active points of a feeder: places in the arrays (A,), and the DERs of each, with the injection that is left to them."""

    points: np.ndarray
    members: list[list[Capable]]

    @cached_property
    def all(self) -> list[Capable]:
        """The DERs (n), point after point."""
        return [each for members in self.members for each in members]

    @cached_property
    def owner(self) -> np.ndarray:
        """The row of each DER's point, (n,)."""
        return np.repeat(np.arange(len(self.members)), [len(members) for members in self.members])

    @cached_property
    def ruled(self) -> np.ndarray:
        """The DERs whose reactive power follows issued settings, (m,) places in all."""
        return np.flatnonzero([bool(each.device.rule) for each in self.all])

    @cached_property
    def told(self) -> np.ndarray:
        """The DERs whose reactive capability is known, and who follow no rule, (m,) places in all."""
        return np.flatnonzero([each.device.known for each in self.all])

    def summed(self, values: np.ndarray) -> np.ndarray:
        """Of the DERs' values (n, T) the sums of the points, (A, T)."""
        found = np.zeros((len(self.members), values.shape[1]))
        np.add.at(found, self.owner, values)
        return found

    def _placed(self, rows: np.ndarray) -> tuple[list[Device], np.ndarray, np.ndarray, np.ndarray]:
        """The devices of DERs, the row of each one's point, and its part of the point's most and least injection."""
        found = []
        for name, sign in (("most", 1), ("least", -1)):
            own = np.array([max(0.0, sign * getattr(each, name)) for each in self.all])
            total = np.bincount(self.owner, own, len(self.members))[self.owner]
            found.append(np.divide(own, total, out=np.zeros(len(own)), where=total > 0)[rows])
        return [self.all[row].device for row in rows], self.owner[rows], *found

    def inverters(self) -> Inverters | None:
        """Those whose reactive power follows issued settings; None where nobody's does."""
        if not len(self.ruled):
            return None
        devices, *places = self._placed(self.ruled)
        curves = sorted({tuple(map(tuple, each.settings["volt_var"])) for each in devices if each.rule == "volt_var"})
        follows = [curves.index(tuple(map(tuple, each.settings["volt_var"]))) if each.rule == "volt_var" else -1 for each in devices]
        factors = np.array([each.settings.get("power_factor", 1.0) for each in devices])
        ratings = (np.array([max(value or 0.0, 1e-3) for value in values]) * 1e3 for values in zip(*((d.kw, d.apparent) for d in devices)))
        shapes = tuple((np.array(curve)[:, 0], np.array(curve)[:, 1]) for curve in curves)
        return Inverters(*places, np.sign(factors) * np.sqrt(1 / factors**2 - 1), np.array(follows), shapes, *ratings)

    def capability(self) -> Capability | None:
        """The reactive capability of those of whom it is known and who follow no rule; None where there is nobody."""
        if not len(self.told):
            return None
        devices, *places = self._placed(self.told)
        kvar = (np.array([value or 0.0 for value in values]) * 1e3 for values in zip(*((d.inject_kvar, d.absorb_kvar) for d in devices)))
        return Capability(*places, *kvar, np.array([each.kva * 1e3 if each.kva else np.inf for each in devices]))


def capabilities(version: NetworkVersion) -> list[Capable]:
    """Every active DER at a network's points. Approved import and export, its own ratings where nothing was approved, within the limits and
    the settings that its utility decided. One whose service point another feeder supplies by now is that feeder's, whatever this version
    still draws."""
    places = dict(NetworkPoint.objects.filter(version=version).exclude(service_point=None).values_list("service_point_id", "number"))
    ders = Der.objects.filter(feeder=version.feeder_id, service_point_id__in=list(places), status=Der.Status.ACTIVE).order_by("pk")
    found, count = [], len(REACTIVE)
    for pk, point, filed, decided, settings, *facts in ders.values_list("pk", "service_point_id", *WINDOWS, *REACTIVE, *RANGE):
        kva, inject, absorb, nameplate, *_ = (None if value is None else float(value) for value in facts)
        device = Device(settings or {}, nameplate, kva, inject, absorb)
        found.append(Capable(pk, places[point], *device.held(*range_of(*facts[count - 1 :])), windows_of(filed, decided), device))
    return found


def range_of(nameplate, export, import_, charge, export_limit, import_limit) -> tuple[float, float]:
    """Least and most injection (kW) of a DER by its columns of RANGE: what was approved, within what its utility's decision left."""
    least = float(next((value for value in (import_, charge) if value is not None), 0))
    most = float(next((value for value in (export, nameplate) if value is not None), 0))
    limits = [float("inf") if value is None else float(value) for value in (import_limit, export_limit)]
    return -min(least, limits[0]), min(most, limits[1])


def windows_of(filed, decided) -> list[dict]:
    """The limits by time of a DER: of its agreement as filed, and of the utility's decision."""
    return [each for said in (filed, decided) for each in (said or ()) if isinstance(each, dict)]


def active_points(capable: list[Capable], limited: dict | None = None) -> Active:
    """The points with active DERs, with what all DERs behind each can do together.

    limited: {DER id: [least, most] kW injected} of those that are out or derated."""
    found: dict[int, list[Capable]] = {}
    for each in capable:
        lowest, highest = (limited or {}).get(str(each.der), (each.least, each.most))
        left = each._replace(least=max(each.least, lowest), most=min(each.most, highest))
        found.setdefault(each.place, []).append(left)
    numbers = sorted(found)
    return Active(np.array(numbers, dtype=int), [found[number] for number in numbers])


def supplied(active: Active, kept: np.ndarray) -> tuple[Active, np.ndarray]:
    """The active points that have supply, by their places among the kept points; and which of them all these are, (A,)."""
    rows = kept[active.points]
    places = (np.cumsum(kept) - 1)[active.points[rows]]
    members = [each for each, on in zip(active.members, rows) if on]
    return Active(places, members), rows


def weights_of(active: Active, programs: dict[str, float]) -> np.ndarray:
    """What the DERs of each point can do, kW, each times the greatest weight of its retail programs, 1 where none has any, (A,)."""
    named = [each.der for each in active.all] if programs else []
    rows = Der.objects.filter(pk__in=named, retail_programs__overlap=list(programs)).values_list("pk", "retail_programs")
    weight = {pk: max(float(programs[each]) for each in its if each in programs) for pk, its in (rows if named else ())}
    capable = [sum((each.most - each.least) * weight.get(each.der, 1.0) for each in members) for members in active.members]
    return np.maximum(capable, 0.1)
