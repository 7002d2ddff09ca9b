"""The envelope of a group: the sum of its members' limits by the sets in force, as far as the reader may see the members."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import gcd
from typing import NamedTuple

import numpy as np
from django.db.models import Model, Q
from django.utils import timezone

from moc import sight
from moc.access import policy
from operations.envelopes.models import EnvelopePolicy, EnvelopeRun
from operations.envelopes.reasons import stop
from operations.envelopes.solver.blocks import DEVICE
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der
from registry.grid.models import Feeder, ServicePoint, Transformer

PERMISSION, HOURS, MINUTES = "view_registry", 24, 60
MOST = 20  # utilities with the same code
WAYS = ("import", "export")
HEADER = (
    *"starts_at minutes import_limit_kw export_limit_kw without_set".split(),
    *(f"{side}_kvar_while_{way}ing" for way in WAYS for side in ("least", "most")),
    "without_kvar",
)
VOLTAGE = "Voltage at a connection point"  # it may be another customer's, which is not named to this reader


@dataclass(frozen=True)
class Kind:
    """A kind of group: its model, the column of its key in addresses, that of its name, and which DERs are its members on a day."""

    label: str
    model: type[Model]
    key: str
    name: str
    members: Callable[[Model, object], Q]


def _of_aggregation(record: Aggregation, day) -> Q:
    return Q(pk__in=AggregationMember.objects.filter(aggregation=record).on(day).values("der"))


KINDS = {
    "aggregation": Kind("aggregation", Aggregation, "uuid", "uuid", _of_aggregation),
    "feeder": Kind("feeder", Feeder, "pk", "code", lambda record, day: Q(feeder=record)),
    "transformer": Kind("transformer", Transformer, "pk", "code", lambda record, day: Q(service_point__transformer=record)),
    "service_point": Kind("service point", ServicePoint, "pk", "usage_point_id", lambda record, day: Q(service_point=record)),
}


class Member(NamedTuple):
    """A DER that the reader may see, where it is, and where its latest envelope is; without one None."""

    der: int
    uuid: str
    external_id: str
    edc: int
    feeder: int | None
    envelope: int | None
    envelope_feeder: int | None
    run: int | None


@dataclass(frozen=True)
class Group:
    """A record with its members within the reader's sight; in reach: the reader may see the record itself too."""

    kind: str
    record: Model
    members: list[Member]
    in_reach: bool


@dataclass(frozen=True)
class Binds:
    """What of the grid stops members: its feeder, the direction, how many of them at once at most, in how many intervals any."""

    feeder: str
    way: str
    what: str
    members: int
    intervals: int


@dataclass(frozen=True)
class Together:
    """The sum over members, injection in kW, of each interval. without_set: how many members no set holds; of these the limits without
    envelope are counted. now: by DER what it may import and export at present, kW. kvar: by way the least and the most kvar that those may
    inject together of whom sets tell it, None where of nobody; without_kvar: how many are not among them."""

    starts_at: datetime
    step_minutes: int
    min_kw: list[float]
    max_kw: list[float]
    without_set: list[int]
    binds: list[Binds]
    now: dict[int, tuple[float, float]]
    kvar: dict[str, tuple[list[float | None], list[float | None]]]
    without_kvar: list[int]

    @property
    def times(self) -> list[datetime]:
        """The start of each interval."""
        return [self.starts_at + timedelta(minutes=self.step_minutes * n) for n in range(len(self.max_kw))]

    @property
    def place_now(self) -> int:
        """The interval that is running."""
        return _minutes(self.starts_at, timezone.now()) // self.step_minutes

    @property
    def import_kw(self) -> list[float]:
        """The import limits."""
        return [0.0 - value for value in self.min_kw]


def found(user, kind: str, **lookup) -> list[Group]:
    """The groups of a kind that a reader may see: in reach, or with members of the reader's own (not of aggregations)."""
    rows = list(KINDS[kind].model.objects.filter(**lookup)[:MOST])
    seen = set(KINDS[kind].model.objects.visible_to(user).filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
    groups = [Group(kind, row, members_of(user, kind, row), row.pk in seen) for row in rows if row.pk in seen or kind != "aggregation"]
    return [group for group in groups if group.in_reach or group.members]


def members_of(user, kind: str, record: Model) -> list[Member]:
    """The active members of a group today whose envelopes a reader may see: the aggregator's and the utility's, and who oversees them."""
    reach = policy.reach(user, PERMISSION)
    rows = Der.objects.filter(Q(aggregator__in=reach) | Q(edc__in=reach), KINDS[kind].members(record, timezone.localdate()))
    columns = ("pk", "uuid", "external_id", "edc", "feeder", "envelope__pk", "envelope__feeder", "envelope__run")
    return [Member(*row) for row in rows.filter(status=Der.Status.ACTIVE).order_by("external_id", "pk").values_list(*columns)]


@dataclass
class _Sum:
    """The grid of intervals, and what was added so far (T,); of kvar by way the least and the most, (2, 2, T)."""

    starts_at: datetime
    step: int
    low: np.ndarray
    high: np.ndarray
    missing: np.ndarray
    kvar: np.ndarray
    unknown: np.ndarray
    now: dict[int, tuple[float, float]]
    binds: dict[tuple, list] = field(default_factory=dict)

    def places(self, run: EnvelopeRun, since: datetime, until: datetime) -> tuple[slice, np.ndarray]:
        """Which intervals a stretch covers, and of which of the run's each is (a part of) one."""
        first, last = (_minutes(self.starts_at, moment) // self.step for moment in (since, until))
        return slice(first, last), (_minutes(run.starts_at, self.starts_at) + self.step * np.arange(first, last)) // run.step_minutes


def together(user, members: list[Member]) -> Together:
    """What members may import and export together, interval by interval from the present hour on, to the end of the last set in force and a
    day at least. Each block is unpacked once."""
    begins = timezone.now().replace(minute=0, second=0, microsecond=0)
    reach = policy.reach(user, PERMISSION)
    with sight.engine():  # a block holds a whole feeder; of it only the rows of the members are taken out
        without, stretches = _without(members), _stretches(members, begins)
        added = _begun(begins, stretches, without)
        for run, since, until in stretches:
            _add(added, run, added.places(run, since, until), without, named=run.edc_id in reach)
    binds = sorted((Binds(*key, *counted) for key, counted in added.binds.items()), key=lambda each: -each.intervals)
    low, high = ((values.round(1) + 0.0).tolist() for values in (added.low, added.high))
    kvar = np.where(added.unknown < len(members), added.kvar.round(1) + 0.0, None)
    told = {way: tuple(pair.tolist()) for way, pair in zip(WAYS, kvar, strict=True)}
    return Together(begins, added.step, low, high, added.missing.tolist(), binds, added.now, told, added.unknown.tolist())


def _stretches(members: list[Member], begins: datetime) -> list[tuple[EnvelopeRun, datetime, datetime]]:
    feeders = {member.envelope_feeder for member in members if member.envelope_feeder}
    runs = EnvelopeRun.objects.filter(feeder__in=feeders, ends_at__gt=begins).select_related("feeder").prefetch_related("blocks")
    return [(run, max(since, begins), until) for run, since, until in runs.in_force() if until > begins]


def _without(members: list[Member]) -> dict[int, tuple[float, float]]:
    """By DER what it may import and export without a set, kW: as its latest set said, else by its feeder's policy."""
    said = dict(EnvelopeRun.objects.filter(pk__in={member.run for member in members if member.run}).values_list("pk", "policy"))
    by_run = {pk: _pair(policy) for pk, policy in said.items()}
    utilities = {member.edc for member in members if not member.run}
    rows = EnvelopePolicy.objects.filter(edc__in=utilities) if utilities else ()
    kept, plain = {(each.edc_id, each.feeder_id): _pair(vars(each)) for each in rows}, _pair(vars(EnvelopePolicy()))
    return {
        each.der: by_run[each.run] if each.run else kept.get((each.edc, each.feeder), kept.get((each.edc, None), plain)) for each in members
    }


def _pair(said: dict) -> tuple[float, float]:
    return float(said["default_import_kw"]), float(said["default_export_kw"])


def _minutes(since: datetime, until: datetime) -> int:
    return int((until - since).total_seconds() // 60)


def _begun(begins: datetime, stretches: list[tuple], without: dict[int, tuple[float, float]]) -> _Sum:
    """All members at their limits without envelope, on a grid of which every interval of every set is a multiple."""
    step = MINUTES
    for run, since, until in stretches:
        step = gcd(step, run.step_minutes, *(_minutes(begins, moment) for moment in (run.starts_at, since, until)))
    ends = max([begins + timedelta(hours=HOURS), *(until for _, _, until in stretches)])
    count = _minutes(begins, ends) // step
    low, high = (float(sum(pair[way] for pair in without.values())) for way in (0, 1))
    missing, unknown = np.full((2, count), len(without))
    return _Sum(begins, step, np.full(count, -low), np.full(count, high), missing, np.zeros((2, 2, count)), unknown, dict(without))


def _add(added: _Sum, run: EnvelopeRun, at: tuple[slice, np.ndarray], without: dict, *, named: bool) -> None:
    """Put a set's limits in the place of those without envelope, in its stretch."""
    part, own = at
    kept = run.bounds
    row_of = {der: row for der, row in kept["min"].rows.items() if der in without} if kept else {}
    if not row_of or not len(own):
        return
    rows, limits = sorted(set(row_of.values())), {}
    for way, (bound, block) in enumerate(kept.items()):
        limits[bound], kvar = block.kw()[rows][:, own], block.kvar()
        added.kvar[way][:, part] += sum(kvar[row][:, own] for row in rows if row in kvar)
        _note(added, run, block, block.codes()[rows][:, own], named)
    added.missing[part] -= len(row_of)
    added.unknown[part] -= sum(row in kvar for row in row_of.values())  # the same rows have limits of it either way
    added.low[part] += limits["min"].sum(0) + sum(without[der][0] for der in row_of)
    added.high[part] += limits["max"].sum(0) - sum(without[der][1] for der in row_of)
    if 0 <= (column := _minutes(added.starts_at, timezone.now()) // added.step - part.start) < len(own):
        low, high = (dict(zip(rows, limits[bound][:, column].tolist(), strict=True)) for bound in ("min", "max"))
        added.now.update({der: (max(-low[row], 0.0), max(high[row], 0.0)) for der, row in row_of.items()})


def _note(added: _Sum, run: EnvelopeRun, block, codes: np.ndarray, named: bool) -> None:
    """Count what binds in a stretch, (rows, T')."""
    way = "import" if block.bound == "min" else "export"
    for code in np.unique(codes[codes != DEVICE]).tolist():
        said = stop(block.names[code][0])
        what = VOLTAGE if said.startswith("Voltage") and not named else said
        counted, hit = added.binds.setdefault((run.feeder.code, way, what), [0, 0]), codes == code
        counted[0] = max(counted[0], int(hit.sum(0).max()))
        counted[1] += int(hit.any(0).sum())


def csv_rows(sums: Together) -> Iterator[tuple]:
    """The intervals as rows of HEADER."""
    kvar = (side for pair in sums.kvar.values() for side in pair)
    for moment, *values in zip(sums.times, sums.import_kw, sums.max_kw, sums.without_set, *kvar, sums.without_kvar, strict=True):
        yield moment, sums.step_minutes, *values
