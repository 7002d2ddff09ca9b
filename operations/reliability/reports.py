"""What readings, checks of telemetry and registered categories say of each DER, as cases: (DER, moment, measured, limit, words)."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

import numpy as np
from django.utils import timezone

from operations.envelopes.models import EnvelopeRun
from operations.envelopes.solver import blocks
from operations.reliability.models import ReliabilityFinding
from operations.telemetry.models import Reading, SubjectReading, TelemetryCheck
from registry.ders.models import Der

Rule = ReliabilityFinding.Rule
TOLERANCE_KW, TOLERANCE = 0.2, 0.02  # beyond a limit: what a meter of class 2 may err
IN_A_ROW = 3  # readings beyond a limit, one after another: it was not followed
POOR_PERCENT = 10  # of owed telemetry missing or late in a day
CONTINUOUS_PU = (0.88, 1.10)  # IEEE 1547-2018, tables 14 to 16: a DER of any category goes on between these voltages
BEFORE = timedelta(minutes=10)


class Case(NamedTuple):
    """One case against a DER (its key); measured and limit in the unit that `words` says."""

    der: int
    at: datetime
    measured: float
    limit: float
    words: str


def beyond(since: datetime, until: datetime) -> tuple[list[Case], list[Case]]:
    """Readings beyond the envelope that was in force, and of these the runs of readings in which it was not followed.

    Points that several DERs share are not judged: whose share the limit is, is not said."""
    over, ignored = [], []
    runs = EnvelopeRun.objects.published().overlapping(since, until).prefetch_related("blocks")
    for run in runs.order_by("pk"):
        limits = _limits(run)
        rows = Reading.objects.filter(der__in=limits, event_at__gte=max(since, run.starts_at, run.published_at))
        rows = rows.filter(event_at__lt=min(until, run.ends_at)).order_by("der", "event_at", "-published_at").distinct("der", "event_at")
        row_of: dict[int, list[Case]] = defaultdict(list)
        for der, at, kw in rows.values_list("der", "event_at", "p_kw"):
            low, high = limits[der][:, int((at - run.starts_at).total_seconds() // (60 * run.step_minutes))]
            case = _case(der, at, kw, float(low), float(high))
            row_of[der] = [*row_of[der], case] if case else []
            over += [case] if case else []
            ignored += [case] if case and len(row_of[der]) == IN_A_ROW else []
    return over, ignored


def _limits(run: EnvelopeRun) -> dict[int, np.ndarray]:
    """Of each DER that has a point of its own the least and most injection, (2, T) kW."""
    kept = {block.bound: block for block in run.blocks.all()}
    if not kept:
        return {}
    ders = kept["min"].ders
    low, high = (blocks.unpack(bytes(kept[name].limits), len(ders), run.intervals, kept[name].unit_kw) for name in ("min", "max"))
    return {each[0]: np.stack([low[row], high[row]]) for row, each in enumerate(ders) if len(each) == 1}


def _case(der: int, at: datetime, kw: float, low: float, high: float) -> Case | None:
    if kw > high + max(TOLERANCE_KW, TOLERANCE * abs(high)):
        return Case(der, at, kw, high, "kW injected")
    if kw < low - max(TOLERANCE_KW, TOLERANCE * abs(low)):
        return Case(der, at, kw, low, "kW injected; negative: drawn")
    return None


def poor(day: date) -> list[Case]:
    """DERs of whose telemetry too much was missing or late on a day."""
    at = timezone.make_aware(datetime.combine(day, datetime.min.time()))
    rows = TelemetryCheck.objects.of_aggregations(False).filter(day=day, owed__gt=0).order_by("pk")
    found = []
    for der, owed, missing, late in rows.values_list("der", "owed", "missing", "late"):
        percent = 100 * (missing + late) / owed
        if percent > POOR_PERCENT:
            found.append(Case(der, at, round(percent, 1), POOR_PERCENT, "% of owed telemetry missing or late"))
    return found


def tripped(since: datetime, until: datetime) -> Iterator[Case]:
    """DERs that stopped while the voltage of their feeder stayed where every category of IEEE 1547-2018 goes on."""
    rows = Reading.objects.filter(event_at__gte=since - BEFORE, event_at__lt=until).order_by("der", "event_at", "-published_at")
    before: dict[int, str] = {}
    stops = []
    for der, at, operating in rows.distinct("der", "event_at").values_list("der", "event_at", "operating"):
        if operating == "fault" and before.get(der) in ("on", "standby") and at >= since:
            stops.append((der, at))
        before[der] = operating
    feeders = dict(Der.objects.filter(pk__in={der for der, _ in stops}).values_list("pk", "feeder"))
    measured = SubjectReading.objects.filter(feeder__in=set(feeders.values()), voltage_pu__isnull=False)
    volts: dict[int, list] = defaultdict(list)
    for feeder, at, value in measured.filter(event_at__gte=since - BEFORE, event_at__lt=until).values_list(
        "feeder", "event_at", "voltage_pu"
    ):
        volts[feeder].append((at, value))
    for der, at in stops:
        around = [value for moment, value in volts[feeders[der]] if at - BEFORE <= moment <= at]
        if around and CONTINUOUS_PU[0] <= min(around) and max(around) <= CONTINUOUS_PU[1]:
            yield Case(der, at, round(min(around), 3), CONTINUOUS_PU[0], "pu at the feeder's head, least before it stopped")
