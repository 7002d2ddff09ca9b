"""When a set was in force, its readings and limits as arrays, and outcomes as they are looked at: summed, by DER, by interval."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, zip_longest
from uuid import UUID

import numpy as np
from django.db.models import Count, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Coalesce, Extract
from django.utils import timezone

from moc import sheets, sight
from moc.bulk import copy_out
from moc.portal.streaming import Tally
from operations.envelopes.models import EnvelopePoint, EnvelopeRun
from operations.envelopes.reasons import NO_SUPPLY
from operations.envelopes.reports import of_operator
from operations.forecasts.engine import blocks as forecast_blocks
from operations.forecasts.models import Forecast
from operations.outcomes.engine.holding import GRID, NOBODY, OPERATOR, Ders, Heard, Limits
from operations.outcomes.models import BY_GRID, FIGURES, LINES, EnvelopeOutcome, by_grid
from operations.reliability.reports import BoundsOf
from operations.telemetry.models import Reading
from operations.telemetry.queries import DELIVERING
from registry.ders.choices import storing
from registry.ders.models import Der, DerTenure
from registry.reconfigurations.models import FormerConnection

MOST_SUMMED = 10_000  # outcomes whose sums a page tells
SUMMED = (
    "curtailed_export_kwh operator_export_kwh estimated_kwh curtailed_import_kwh operator_import_kwh storage_kwh export_kwh import_kwh "
    "unknown_hours"
).split()
COUNTED = ("ders", "heard", "beyond", "readings")
Span = tuple[datetime, datetime]


def spans_of(run: EnvelopeRun) -> list[Span]:
    """When a set was in force, by versions: from its publication or its window's beginning on, until it was held, taken out or superseded,
    or its window ended; and where no newer set of its feeder was. Published again after it was held, it has several spans. Two queries."""
    if run.number is None:
        return []
    newer = EnvelopeRun.objects.of_feeder(run.feeder_id).overlapping(run.starts_at, run.ends_at).filter(number__gt=run.number)
    runs = {each.pk: each for each in (run, *newer.only("starts_at", "ends_at"))}
    versions = EnvelopeRun.history.model.objects.filter(id__in=runs).order_by("history_date", "history_id")
    told = defaultdict(list)
    for pk, *version in versions.values_list("id", "history_date", "status", "published_at"):
        told[pk].append(version)
    spans = in_force(run, told.pop(run.pk, ()))
    for since, until in (span for pk, said in told.items() for span in in_force(runs[pk], said)):
        parts = [part for first, last in spans for part in ((first, min(last, since)), (max(first, until), last))]
        spans = [(first, last) for first, last in parts if first < last]
    return spans


def in_force(run: EnvelopeRun, versions: Iterable[tuple[datetime, str, datetime | None]]) -> list[Span]:
    """The spans by versions (when it was written, status, published at), the oldest first."""
    found, since = [], None
    for at, status, published_at in versions:
        if status == EnvelopeRun.Status.PUBLISHED:
            since = published_at
        elif since is not None:
            found.append((since, at))
            since = None
    found += [] if since is None else [(since, run.ends_at)]
    clipped = [(max(first, run.starts_at), min(last, run.ends_at)) for first, last in found]
    return [(first, last) for first, last in clipped if first < last]


def ders_of(run: EnvelopeRun, day, intervals: tuple[float, float]) -> tuple[list[dict], Ders]:
    """The DERs of a set with the aggregators that held them on a day, by row of its blocks; as facts and as arrays. Two queries.

    intervals: seconds after which a DER that names no interval of its own reports, and after how many of its intervals it is stale."""
    rows = run.bounds["min"].rows
    usual, stale = intervals
    # who registered a DER holds it from that day on, and before, where a set says that it was there
    tenures = DerTenure.objects.filter(Q(valid_during__contains=day) | Q(is_first=True), der__in=rows)
    holders = {der: told for der, *told in tenures.values_list("der", "aggregator", "external_id")}
    names = ("pk", "uuid", "external_id", "der_type", "telemetry_interval_s", "nameplate_ac_kw", "service_point")
    facts = []
    for each in Der.objects.filter(pk__in=rows).order_by("pk").values(*names):
        aggregator, name = holders.get(each["pk"], (None, ""))
        facts.append(each | {"aggregator": aggregator, "row": rows[each["pk"]], "external_id": name or each["external_id"]})
    stores = set(storing())
    return facts, Ders(
        np.array([each["row"] for each in facts], int),
        np.array([stale * float(each["telemetry_interval_s"] or usual) for each in facts]),
        np.array([each["der_type"] in stores for each in facts], bool),
        np.array([float(each["nameplate_ac_kw"] or 0) for each in facts]),
    )


def heard_of(run: EnvelopeRun, facts: list[dict], ders: Ders, since: datetime, until: datetime) -> Heard:
    """Of each moment the newest publication of the DERs' readings, with those before `since` that still hold then. One query, by COPY."""
    place = {each["pk"]: n for n, each in enumerate(facts)}
    first = since - timedelta(seconds=float(ders.holds.max(initial=0)))
    rows = Reading.objects.filter(der__in=list(place), event_at__gte=first, event_at__lt=until)
    rows = rows.order_by("der", "event_at", "-published_at").distinct("der", "event_at")
    nothing = Value(float("nan"))
    seconds, on = Extract("event_at", "epoch", tzinfo=UTC), Q(operating__in=DELIVERING)
    values = rows.values_list("der_id", seconds, "p_kw", Coalesce("up_kw", nothing), Coalesce("down_kw", nothing), on)
    text = b"".join(copy_out(values)).replace(b",t\n", b",1\n").replace(b",f\n", b",0\n")
    table = np.fromstring(text.replace(b"\n", b",").decode(), sep=",").reshape(-1, 6)
    known = np.array(sorted(place))
    der = np.array([place[pk] for pk in known.tolist()], int)[np.searchsorted(known, table[:, 0].astype(int))]
    return Heard(der, table[:, 1] - run.starts_at.timestamp(), *table[:, 2:5].T, table[:, 5] > 0)


def limits_of(run: EnvelopeRun, facts: list[dict], bounds: BoundsOf) -> Limits:
    """A set's limits, what set them, and by how much they may be exceeded; with its points' forecasts. One query and the law's."""
    kept, by, tolerance = run.bounds, {}, {}
    kw = {name: block.kw() for name, block in kept.items()}
    size = kw["min"].shape
    for side, (name, block) in enumerate(kept.items()):
        codes, rows = block.codes(), block.rows
        # without supply nothing is held back; the device is the last, at −1
        by[name] = np.array([GRID if element != NO_SUPPLY else NOBODY for element, *_ in block.names] + [NOBODY])[codes]
        for row, cap in ((rows[int(pk)], cap) for pk, cap in run.caps.items() if int(pk) in rows):
            by[name][row][of_operator(run, cap, side, kw[name][row], codes[row])] = OPERATOR
    law = [bounds(run.edc_id, run.starts_at + timedelta(minutes=run.step_minutes) * n) for n in range(run.intervals)]
    least, part = (np.array([getattr(each, f"tolerance_{name}") or 0.0 for each in law]) for name in ("kw", "percent"))
    for name in kept:
        tolerance[name] = np.maximum(least, part / 100 * np.abs(kw[name]))
    holders = defaultdict(set)
    for each in facts:
        holders[each["row"]].add(each["aggregator"])
    judged = np.array([len(holders[row]) == 1 for row in range(size[0])], bool)
    pairs = (values[name] for values in (kw, by, tolerance) for name in ("min", "max"))
    return Limits(run.step_minutes * 60.0, *pairs, _forecasts(run, facts, size), judged)


def _forecasts(run: EnvelopeRun, facts: list[dict], size: tuple[int, int]) -> np.ndarray:
    """What the meter of each DER that is alone behind one was forecast to inject in each interval (kW), as it was seen before the interval;
    NaN without. That is the least that the DER could have injected; of import it says nothing, as the customer draws too."""
    kw = np.full(size, np.nan)
    starts = run.starts_at.timestamp() + np.arange(size[1]) * 60.0 * run.step_minutes
    behind = Counter(each["service_point"] for each in facts)
    row_of = {each["service_point"]: each["row"] for each in facts if behind[each["service_point"]] == 1}
    days = {timezone.localdate(run.starts_at), timezone.localdate(run.ends_at)}
    found = Forecast.objects.filter(feeder=run.feeder_id, day__in=days, published_at__lt=run.ends_at).order_by("published_at")
    for each in found.only("starts_at", "minutes", "published_at", "points", "unit", "meters_block", "feeder_kw"):
        columns = np.floor((starts - each.starts_at.timestamp()) / 60 / each.minutes).astype(int)
        seen = (columns >= 0) & (columns < len(each.feeder_kw)) & (starts >= each.published_at.timestamp())
        if seen.any() and each.points:
            meters = forecast_blocks.unpack(bytes(each.meters_block), len(each.points), len(each.feeder_kw), each.unit)
            told = [(n, row_of[point]) for n, point in enumerate(each.points) if point in row_of]
            if told:
                numbers, rows = (list(values) for values in zip(*told, strict=True))
                kw[np.ix_(rows, np.flatnonzero(seen))] = meters[numbers][:, columns[seen]]
    return kw


def by_der(outcome: EnvelopeOutcome) -> list[dict]:
    """The figures of each DER: those that went beyond first, then by what was held back."""
    rows = [_named(each) for each in outcome.figures]
    held = lambda row: (row["curtailed_export_kwh"] or 0) + (row["curtailed_import_kwh"] or 0)  # noqa: E731
    return sorted(rows, key=lambda row: (-row["beyond"], -held(row), row["external_id"]))


def _named(figures: list) -> dict:
    """The figures of a DER by their names, with what the grid's limits held back; None of what an older outcome does not tell."""
    row = dict(zip_longest(FIGURES, figures))
    return row | {f"grid_{way}_kwh": by_grid(row[f"curtailed_{way}_kwh"], row[f"operator_{way}_kwh"]) for way in ("export", "import")}


@sight.engine()  # where a DER was decides only where to look; what is found stands under the reader's own scope
def feeders_of(der: UUID) -> set[int]:
    """The feeders on which a DER's service point is and was. Two queries."""
    now, point = Der.objects.filter(uuid=der).values_list("feeder", "service_point").first() or (None, None)
    return {now, *FormerConnection.objects.filter(service_point=point).values_list("feeder", flat=True)} - {None}


def envelopes_of(user, ders: list[dict]) -> dict[str, int]:
    """The keys of the envelopes that a reader may see, by the ids of some rows of DERs."""
    rows = EnvelopePoint.objects.visible_to(user).filter(der__uuid__in=[each["der"] for each in ders])
    return {str(uuid): pk for uuid, pk in rows.values_list("der__uuid", "pk")}


def course_of(outcome: EnvelopeOutcome) -> tuple[list[datetime], dict[str, list[float]]]:
    """The intervals of the set's window, and in each the mean kW measured, and with what was held back."""
    said = outcome.series
    step, hours = timedelta(minutes=said["minutes"]), said["minutes"] / 60
    kw = {name: np.array(said[name], float) / hours for name in LINES}
    sums = {
        "export": kw["export"],
        "export without the limits": kw["export"] + kw["held_export"],
        "import": kw["import"],
        "import without the limits": kw["import"] + kw["held_import"],
    }
    times = [datetime.fromisoformat(said["starts_at"]) + step * n for n in range(len(kw["export"]))]
    return times, {name: values.round(2).tolist() for name, values in sums.items()}


def totals(outcomes: QuerySet) -> list[dict]:
    """Sums by utility of the newest MOST_SUMMED of some outcomes."""
    newest = outcomes.order_by("-pk").values("pk")[:MOST_SUMMED]
    rows = EnvelopeOutcome.objects.filter(pk__in=newest).order_by().values("edc__name")
    sums = {f"{name}__sum": Sum(name) for name in (*SUMMED, *COUNTED)} | {f"{name}__sum": Sum(part) for name, part in BY_GRID.items()}
    return list(rows.annotate(outcomes=Count("pk"), silent=Count("pk", filter=Q(heard=0)), **sums).order_by("edc__name"))


OF_DER = (*FIGURES, *BY_GRID)
HEADER = ("utility", "feeder", "set", "in_force_from", "in_force_until", "aggregator", *OF_DER)


def csv_by_der(outcomes: QuerySet, tally: Tally, der: UUID | None = None) -> Iterator[bytes]:
    """Outcomes as CSV, one row a DER, or of one DER only, counted."""
    rows = outcomes.order_by("pk").values_list(
        F("edc__name"), "feeder__code", "number", "starts_at", "ends_at", "aggregator__name", "figures"
    )
    told = ((facts, _named(each)) for *facts, figures in rows.iterator(chunk_size=50) for each in figures)
    every = ((*facts, *(row[name] for name in OF_DER)) for facts, row in told if der is None or row["der"] == str(der))
    return sheets.csv_rows(chain([HEADER], tally.each(every)))
