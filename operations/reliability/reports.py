"""What readings, checks of telemetry and registered categories say of each DER, as cases: (DER, moment, measured, limit, words)."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.utils import timezone

from operations.envelopes.models import EnvelopeRun
from operations.reliability.models import ReliabilityFinding
from operations.telemetry.models import Reading, SubjectReading, TelemetryCheck
from registry.ders.models import Der

Rule = ReliabilityFinding.Rule
BEFORE = timedelta(minutes=10)


class Case(NamedTuple):
    """One case against a DER (its key); measured and limit in the unit that `words` says."""

    der: int
    at: datetime
    measured: float
    limit: float
    words: str


@dataclass(frozen=True)
class Bounds:
    """Each is the rule `reliability_<name>`; None where a row says that there is no such bound."""

    tolerance_percent: float | None
    tolerance_kw: float | None
    in_a_row: float | None
    poor_percent: float | None
    least_pu: float | None
    most_pu: float | None

    def tolerance(self, limit: float) -> float:
        """By how much (kW) a reading may exceed a limit (kW): the larger of share and quantity."""
        return max(self.tolerance_kw or 0.0, (self.tolerance_percent or 0.0) / 100 * abs(limit))

    def completes_a_row(self, readings: int) -> bool:
        """Whether with this many readings in a row beyond a limit it was not followed; true for one of them, so that a row counts once."""
        return self.in_a_row is not None and readings - 1 < max(self.in_a_row, 1) <= readings

    def goes_on(self, pu: float) -> bool:
        """Whether a DER goes on at a voltage."""
        return (self.least_pu is None or self.least_pu <= pu) and (self.most_pu is None or pu <= self.most_pu)


BoundsOf = Callable[[int, datetime], Bounds]  # (utility's key, moment) → the bounds of its day


def beyond(since: datetime, until: datetime, bounds: BoundsOf) -> tuple[list[Case], list[Case]]:
    """Readings beyond the envelope that was in force, and of these the runs of readings in which it was not followed.

    Sets of before DERs behind one point had limits of their own are not judged there: whose share the limit is, they do not say."""
    over, ignored = [], []
    for run, begins, ends in EnvelopeRun.objects.overlapping(since, until).prefetch_related("blocks").in_force():
        limits = _limits(run)
        rows = Reading.objects.filter(der__in=limits, event_at__gte=max(since, begins, run.published_at))
        rows = rows.filter(event_at__lt=min(until, ends)).order_by("der", "event_at", "-published_at").distinct("der", "event_at")
        row_of: dict[int, list[Case]] = defaultdict(list)
        for der, at, kw in rows.values_list("der", "event_at", "p_kw"):
            low, high = limits[der][:, int((at - run.starts_at).total_seconds() // (60 * run.step_minutes))]
            bound = bounds(run.edc_id, at)
            case = _case(der, at, kw, float(low), float(high), bound)
            row_of[der] = [*row_of[der], case] if case else []
            over += [case] if case else []
            ignored += [case] if case and bound.completes_a_row(len(row_of[der])) else []
    return over, ignored


def _limits(run: EnvelopeRun) -> dict[int, np.ndarray]:
    """Of each DER that has a point of its own the least and most injection, (2, T) kW."""
    if not (kept := run.bounds):
        return {}
    both = np.stack([block.kw() for block in kept.values()], 1)
    return {each[0]: both[row] for row, each in enumerate(kept["min"].ders) if len(each) == 1}


def _case(der: int, at: datetime, kw: float, low: float, high: float, bound: Bounds) -> Case | None:
    if kw > high + bound.tolerance(high):
        return Case(der, at, kw, high, "kW injected")
    if kw < low - bound.tolerance(low):
        return Case(der, at, kw, low, "kW injected; negative: drawn")
    return None


def poor(day: date, bounds: BoundsOf) -> list[Case]:
    """DERs of whose telemetry too much was missing or late on a day."""
    at = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    rows = TelemetryCheck.objects.of_aggregations(False).filter(day=day, owed__gt=0).order_by("pk")
    found = []
    for der, edc, owed, missing, late in rows.values_list("der", "edc", "owed", "missing", "late"):
        percent, most = 100 * (missing + late) / owed, bounds(edc, at).poor_percent
        if most is not None and percent > most:
            found.append(Case(der, at, round(percent, 1), most, "% of owed telemetry missing or late"))
    return found


def tripped(since: datetime, until: datetime, bounds: BoundsOf) -> Iterator[Case]:
    """DERs that stopped while the voltage of their feeder stayed where the law says that a DER goes on (IEEE 1547-2018)."""
    rows = Reading.objects.filter(event_at__gte=since - BEFORE, event_at__lt=until).order_by("der", "event_at", "-published_at")
    before: dict[int, str] = {}
    stops = []
    for der, at, operating in rows.distinct("der", "event_at").values_list("der", "event_at", "operating"):
        if operating == "fault" and before.get(der) in ("on", "standby") and at >= since:
            stops.append((der, at))
        before[der] = operating
    found = Der.objects.filter(pk__in={der for der, _ in stops}).values_list("pk", "feeder", "edc")
    places = {pk: (feeder, edc) for pk, feeder, edc in found}
    volts = _volts({feeder for feeder, _ in places.values()}, since - BEFORE, until)
    for der, at in stops:
        feeder, edc = places[der]
        around = [value for moment, value in volts[feeder] if at - BEFORE <= moment <= at]
        bound = bounds(edc, at)
        if around and bound.goes_on(min(around)) and bound.goes_on(max(around)):
            words = "pu at the feeder's head, least before it stopped"
            yield Case(der, at, round(min(around), 3), bound.least_pu or 0.0, words)


def _volts(feeders: set[int], since: datetime, until: datetime) -> dict[int, list[tuple[datetime, float]]]:
    """Of each feeder the voltages (pu) at its head, with their moments."""
    rows = SubjectReading.objects.filter(feeder__in=feeders, voltage_pu__isnull=False, event_at__gte=since, event_at__lt=until)
    volts = defaultdict(list)
    for feeder, at, value in rows.values_list("feeder", "event_at", "voltage_pu"):
        volts[feeder].append((at, value))
    return volts
