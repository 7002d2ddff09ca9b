"""Envelopes as they are read: a DER's limits by interval, whence each comes, and why it is what it is."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from itertools import chain, groupby
from math import gcd

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone

from moc import sheets, sight
from moc.portal.streaming import Tally
from moc.units import counted
from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.reasons import OPERATOR, OUTAGE, Reason, must, sentence, stop
from operations.envelopes.solver.blocks import DEVICE
from operations.forecasts.models import Forecast

PUBLISHED, STATIC = "published", "static"
AT_ONCE = 500  # points of a CSV
ROUNDED = 0.1  # kW, by which a limit may be inside what was asked
# a limit below zero is a duty: of import, to inject so much at least; of export, to draw so much at least
HEADER = tuple("der feeder service_point source set starts_at minutes import_limit_kw export_limit_kw".split()) + tuple(
    f"{side}_kvar_while_{way}ing" for way in ("import", "export") for side in ("least", "most")
)


@dataclass(frozen=True)
class Limits:
    """A DER's connection point over a window. min_kw and max_kw: injection, one value an interval; source: published, or static where no
    set is in force. reasons: per bound and interval, None where the device itself is the limit. kvar: least
    and most injection of reactive power while the point exports, and imports; empty where its capability is not known."""

    source: str
    starts_at: datetime
    step_minutes: int
    min_kw: list[float]
    max_kw: list[float]
    reasons: dict[str, list[Reason | None]]
    number: int | None
    content_hash: str
    fallback: dict[str, float]
    outage: dict[str, float]
    kvar: dict[str, tuple[list[float], list[float]]]
    run: int | None = None

    @property
    def times(self) -> list[datetime]:
        """The start of each interval."""
        return [self.starts_at + timedelta(minutes=self.step_minutes * i) for i in range(len(self.max_kw))]

    @property
    def ends_at(self) -> datetime:
        """The end of the last interval."""
        return self.starts_at + timedelta(minutes=self.step_minutes * len(self.max_kw))

    def within(self, since: datetime, until: datetime) -> "Limits":
        """The same of a part of the window, of whole minutes; in shorter intervals where it cuts one."""
        first, last = (int((moment - self.starts_at).total_seconds() // 60) for moment in (since, until))
        if (first, last) == (0, self.step_minutes * len(self.max_kw)):
            return self
        step = gcd(self.step_minutes, first, last)
        part = [minute // self.step_minutes for minute in range(first, last, step)]
        cut = {name: [getattr(self, name)[n] for n in part] for name in ("min_kw", "max_kw")}
        reasons = {name: [said[n] for n in part] for name, said in self.reasons.items()}
        cut["kvar"] = {way: tuple([side[n] for n in part] for side in pair) for way, pair in self.kvar.items()}
        return replace(self, starts_at=since, step_minutes=step, reasons=reasons, **cut)


@sight.engine()  # a block holds a whole feeder; of it only the rows of points within the reader's own sight are taken out
def limits_of(points: list[EnvelopePoint]) -> dict[int, list[Limits]]:
    """The limits of envelope points that the caller may see, by primary key: those of each set in force that is not over, by time.

    Where sets overlap, the newest holds, and an older one outside of it. Between them, and after them to the end of tomorrow, the static
    limits; nothing else where none is in force."""
    now, found = timezone.now(), {point.pk: [] for point in points}
    runs = EnvelopeRun.objects.filter(feeder__in={point.feeder_id for point in points}, ends_at__gt=now).prefetch_related("blocks")
    for run, since, until in runs.in_force():
        unpacked = {bound: (block.kw(), block.codes(), block.names, block.kvar()) for bound, block in run.bounds.items()}
        row_of = run.bounds["min"].rows if unpacked else {}
        for point in points:
            if point.feeder_id == run.feeder_id and point.der_id in row_of:
                limits = _limits(run, unpacked, row_of[point.der_id], point.der_id)
                found[point.pk].append(limits.within(since, until))
    policies = dict(EnvelopeRun.objects.filter(pk__in={point.run_id for point in points}).values_list("pk", "policy"))
    return {point.pk: _with_static(found[point.pk], policies[point.run_id], now) for point in points}


def _with_static(sets: list[Limits], policy: dict, now: datetime) -> list[Limits]:
    """The sets of a point with what holds between them and after them."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    end = timezone.make_aware(datetime.combine(timezone.localdate(now) + timedelta(days=2), time()))
    told: list[Limits] = []
    reached = sets[0].starts_at if sets else hour
    for each in sets:
        told += [_static(policy, max(reached, hour), each.starts_at)] if max(reached, hour) < each.starts_at else []
        told.append(each)
        reached = each.ends_at
    return told + ([_static(policy, max(reached, hour), end)] if max(reached, hour) < end else [])


def reactive_of(der) -> str:
    """How a DER's reactive power goes, in words: by issued settings, as told within its registered capability, or not known."""
    issued = der.inverter_settings or {}
    if "power_factor" in issued:
        way = "absorbing" if issued["power_factor"] < 0 else "injecting"
        return f"follows its issued power factor of {abs(issued['power_factor']):g}, {way}"
    if "volt_var" in issued:
        return "follows its issued volt-var curve"
    if not der.rated_inject_kvar and not der.rated_absorb_kvar:
        unknown = der.rated_inject_kvar is None and der.rated_absorb_kvar is None
        return "no limits in kvar: " + ("its capability is not registered" if unknown else "its registered capability is 0 kvar")
    return "what its registered capability leaves beside its kW, as far as voltages and ratings allow; active power comes first"


def now_of(points: list[EnvelopePoint]) -> dict[int, tuple[float, float]]:
    """What each point may import and export at present, kW, by primary key: by its set, and between sets without envelope."""
    now, found = timezone.now(), {}
    for pk, sets in limits_of(points).items():
        fallback = sets[0].fallback
        found[pk] = fallback["import_kw"], fallback["export_kw"]
        for each in sets:
            interval = int((now - each.starts_at).total_seconds() // (60 * each.step_minutes))
            if 0 <= interval < len(each.max_kw):
                found[pk] = max(-each.min_kw[interval], 0.0), max(each.max_kw[interval], 0.0)
    return found


def totals_of(run: EnvelopeRun) -> dict[str, list[float]]:
    """The import and export limits of all points of a run together, kW by interval; nothing before it was computed."""
    ways = {"min": "import", "max": "export"}
    return {ways[bound]: np.abs(block.kw().sum(0)).round(1).tolist() for bound, block in run.bounds.items() if block.ders}


def bindings_of(run: EnvelopeRun) -> list[dict]:
    """What of the grid stops a run's points: the direction, the element in words, how many points it stops at once at most, and in how many
    intervals it stops any; those of most intervals first."""
    found: dict[tuple, dict] = {}
    for block in run.bounds.values():
        codes, way = block.codes(), "import" if block.bound == "min" else "export"
        for code, (name, most, *left) in enumerate(block.names):
            # both ends of an element are one to the reader
            each = found.setdefault((way, stop(name)), {"points": 0, "headroom": None, "stopped": np.zeros(run.intervals, bool)})
            each["points"], each["stopped"] = max(each["points"], most), each["stopped"] | (codes == code).any(0)
            each["headroom"] = min((value for value in (each["headroom"], *left) if value is not None), default=None)
    told = [{"way": way, "what": what, **each, "intervals": int(each.pop("stopped").sum())} for (way, what), each in found.items()]
    return sorted(told, key=lambda each: -each["intervals"])


@sight.engine()  # a run is the utility's; what became of a set is told to whom it was sent
def standing_of(receipt: EnvelopeReceipt) -> str:
    """What became of a set that an aggregator may see: published, held, superseded, deactivated."""
    return EnvelopeRun.objects.get(pk=receipt.run_id).get_status_display()


def room_of(run: EnvelopeRun, since: datetime | None = None) -> dict[str, float]:
    """What a run leaves of its feeder from a moment on: mean kW of all points' import and export together."""
    first = max(0, int(((since or run.starts_at) - run.starts_at).total_seconds() // (60 * run.step_minutes)))
    return {f"{name}_kw": round(float(np.mean(values[first:] or [0.0])), 1) for name, values in totals_of(run).items()}


def forecasts_of(run: EnvelopeRun) -> list[Forecast]:
    """The forecasts that a run was computed by and that are still online, by day."""
    if not run.forecasts:
        return []
    return list(Forecast.objects.filter(pk__in=run.forecasts).only("day", "published_at").order_by("day"))


def is_forecast(run: EnvelopeRun) -> bool:
    """Whether each of a run's days has its forecast."""
    return len(run.forecasts) > (timezone.localdate(run.ends_at - timedelta(microseconds=1)) - timezone.localdate(run.starts_at)).days


def situation_of(run: EnvelopeRun) -> str:
    """What is out, switched or derated in a run's window, in words; with times where that changes within it; nothing where all is as the
    network says."""
    rows = run.situations()
    if len(rows) == 1:
        return _words(rows[0][1])
    ends = [moment for moment, _ in rows[1:]] + [run.ends_at]
    spans = [f"{clock(since)} to {clock(until)}: {_words(said)}" for (since, said), until in zip(rows, ends, strict=True) if said]
    return ". ".join(spans)


def clock(moment: datetime) -> str:
    """A moment of the present days, in words."""
    return f"{timezone.localtime(moment):%b %d, %H:%M}"


def _words(said: dict) -> str:
    words = [f"{element} {name}" for name in ("open", "switched") for element in said.get(name, ())]
    places = {element: "all ratings" if element == "*" else element for element in said.get("percent", {})}
    words += [f"{places[element]} at {percent} %" for element, percent in said.get("percent", {}).items()]
    if dark := said.get("dark"):
        words.append("no supply" if "*" in dark else f"{counted(len(dark), 'points')} without supply")
    if ders := said.get("ders"):
        words.append(f"{counted(len(ders), 'DERs')} out or derated")
    return "; ".join(words)


def csv_of(points: QuerySet, tally: Tally) -> Iterator[bytes]:
    """The limits of envelope points as CSV, one row an interval, some hundred points at a time, counted."""
    return sheets.csv_rows(chain([HEADER], tally.each(_csv_rows(points))))


def _csv_rows(points: QuerySet) -> Iterator[tuple]:
    keys = list(points.order_by("feeder_id", "pk").values_list("pk", flat=True))
    every = EnvelopePoint.objects.select_related("der__service_point", "feeder").order_by("feeder_id", "pk")
    for first in range(0, len(keys), AT_ONCE):
        found = list(every.filter(pk__in=keys[first : first + AT_ONCE]))
        limits = limits_of(found)
        for point in found:
            named = point.der.external_id, point.feeder.code, point.der.service_point and point.der.service_point.usage_point_id
            for each in limits[point.pk]:
                none = [None] * len(each.max_kw)
                kvar = [values for way in ("import", "export") for values in each.kvar.get(way, (none, none))]
                for moment, low, high, *vars_ in zip(each.times, each.min_kw, each.max_kw, *kvar, strict=True):
                    yield *named, each.source, each.number, moment, each.step_minutes, round(0.0 - low, 1), round(high, 1), *vars_


def _limits(run: EnvelopeRun, unpacked: dict, row: int, der: int) -> Limits:
    low, high = (unpacked[bound][0][row].tolist() for bound in ("min", "max"))
    ways = ("min", "import"), ("max", "export")
    reasons = {name: _reasons(*unpacked[bound][1:3], row) for bound, name in ways}
    kvar = {name: tuple(each.tolist() for each in unpacked[bound][3][row]) for bound, name in ways if row in unpacked[bound][3]}
    for reason, cap in _beside_the_grid(run, str(der)):
        for side, (bound, name) in enumerate(ways):
            for n in np.flatnonzero(of_operator(run, cap, side, *(each[row] for each in unpacked[bound][:2]))).tolist():
                reasons[name][n] = Reason(reason, 1)
    facts = {"starts_at": run.starts_at, "step_minutes": run.step_minutes, "number": run.number, "content_hash": run.content_hash}
    return Limits(PUBLISHED, min_kw=low, max_kw=high, reasons=reasons, kvar=kvar, run=run.pk, **_without(run.policy), **facts)


def _beside_the_grid(run: EnvelopeRun, der: str) -> Iterator[tuple[str, list]]:
    """What beside grid and device sets a DER's limits: its operator's cap, and its outages and derates, as caps of their hours."""
    if cap := run.caps.get(der):
        yield OPERATOR, cap
    rows = run.situations()
    ends = [moment for moment, _ in rows[1:]] + [run.ends_at]
    for (since, said), until in zip(rows, ends, strict=True):
        if left := said.get("ders", {}).get(der):
            yield OUTAGE, [*left, since.isoformat(), until.isoformat()]


def of_operator(run: EnvelopeRun, cap: list, side: int, kw: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """In which intervals (T,) an operator set a DER's least (side 0) or most injection: where the grid leaves all, and the limit is the
    operator's own, cap: [least, most], or of some hours: [least, most, from, to]."""
    begins, step = run.starts_at.timestamp() + np.arange(run.intervals) * 60 * run.step_minutes, 60 * run.step_minutes
    since, until = [datetime.fromisoformat(each).timestamp() for each in cap[2:]] or (-np.inf, np.inf)
    return (codes == DEVICE) & (begins < until) & (begins + step > since) & (np.abs(kw - cap[side]) <= ROUNDED)


def _static(policy: dict, since: datetime, until: datetime) -> Limits:
    """What holds without a set from one moment to another, by hours where they fit."""
    minutes, without = int((until - since).total_seconds() // 60), _without(policy)
    step = gcd(60, minutes)
    count = minutes // step
    low, high = [-without["fallback"]["import_kw"]] * count, [without["fallback"]["export_kw"]] * count
    reasons = {"import": [None] * count, "export": [None] * count}
    return Limits(STATIC, since, step, low, high, reasons, number=None, content_hash="", kvar={}, **without)


def _without(policy: dict) -> dict[str, dict[str, float]]:
    """The limits that a policy gives for lost communication and after an outage."""
    pairs = {"fallback": "default", "outage": "outage"}
    return {name: {f"{way}_kw": float(policy[f"{kept}_{way}_kw"]) for way in ("import", "export")} for name, kept in pairs.items()}


def _reasons(codes: np.ndarray, names: list, row: int) -> list[Reason | None]:
    return [None if code == DEVICE else Reason(*names[code]) for code in codes[row].tolist()]


def explained(limits: Limits) -> list[dict]:
    """The reasons of both bounds in sentences, neighbouring intervals with the same one together; where the device itself is the limit,
    those with the same limit."""
    shown, static = [], limits.source == STATIC
    for bound, values in (("export", limits.max_kw), ("import", [0.0 - value for value in limits.min_kw])):
        numbered = zip(limits.times, values, limits.reasons[bound], strict=True)
        for (reason, _), group in groupby(numbered, key=lambda each: (each[2], each[1] if each[2] is None else None)):
            rows = list(group)
            until = rows[-1][0] + timedelta(minutes=limits.step_minutes)
            kw = [row[1] for row in rows]
            said = {"bound": bound, "since": rows[0][0], "until": until, "least": min(kw), "most": max(kw), "reason": reason}
            kind = "static" if static else reason.kind if reason else "device"
            shown.append(said | {"kind": kind, "why": sentence(reason, static=static) + must(bound, kw), "run": limits.run})
    return shown


@sight.engine()  # a block holds a whole feeder; of it only the keys of DERs are taken, which the reader then sees or not
def sharers_of(rows: list[dict], der: int) -> list[list[int]]:
    """Of each of explained()'s rows the keys of the other DERs that its element stops at any time of its set."""
    kept = EnvelopeBlock.objects.filter(run__in={row["run"] for row in rows if row["reason"]}).select_related("run")
    kept = {(block.run_id, block.bound): block for block in kept}
    found, unpacked = [], {}
    for row in rows:
        key = row["run"], "max" if row["bound"] == "export" else "min"
        if not row["reason"] or row["kind"] in ("operator", "outage") or key not in kept:
            found.append([])
            continue
        if key not in unpacked:
            unpacked[key] = kept[key].codes()
        code = [name for name, *_ in kept[key].names].index(row["reason"].element)
        stopped = np.flatnonzero((unpacked[key] == code).any(1))
        found.append([each for place in stopped for each in kept[key].ders[place] if each != der])
    return found
