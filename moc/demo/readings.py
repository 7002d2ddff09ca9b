"""Readings since yesterday of some DERs under the demonstration's networks, generated from a seed and marked so; and the readings after it.

The past is written as it would have been received, seconds after each moment; what is of now comes in by the same service as everybody's.
"""

import json
import zlib
from datetime import datetime, time, timedelta

import numpy as np
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.bulk import copy_in
from moc.demo.networks import UTILITY
from moc.demo.parties import AGGREGATORS
from moc.demo.sites import SEED
from operations.envelopes.models import EnvelopePoint, EnvelopeRun
from operations.outcomes.services import making
from operations.reliability.services import findings
from operations.telemetry.models import DerState, Heard, Told
from operations.telemetry.services import checking, taking_in
from registry.aggregations.choices import Purpose
from registry.aggregations.models import Aggregation
from registry.aggregations.services import building, membership
from registry.ders.choices import STORING, DerType
from registry.ders.models import Der
from registry.grid.models import TdInterface

NAME, SERVICE = "Peak reduction under the networks", "peak_reduction"
MOST, STEP, DAY = 80, timedelta(minutes=5), timedelta(days=1)
SILENT, FAULTY, LOST = 17, 23, 0.02  # one of 17 DERs fell silent, one of 23 is in fault, and a fiftieth of the readings is lost
HEEDLESS = 13  # one of 13 does not keep to its envelope
HEARD = 15 * 12  # readings of those that fell silent: up to three in the afternoon of yesterday
BATTERIES = (DerType.STORAGE, DerType.PHOTOVOLTAIC_STORAGE)
COLUMNS = "der_id aggregator_id edc_id event_at published_at received_at source quality operating p_kw q_kvar soc_percent up_kw down_kw"
SUMMED = "aggregation_id aggregator_id edc_id event_at published_at received_at source quality p_kw"
FLOWS = "td_interface_id edc_id tso_id event_at published_at received_at source quality p_kw"
LOAD_KW, SUN_KW = 42_000, 9_000  # behind the interface above the networks, at the most of a day


def readings(organizations: dict[str, Organization]) -> None:
    """Yesterday and today of the first aggregator's DERs that have envelopes, of their aggregation and of the T-D interface above them;
    and what the platform finds in them."""
    aggregator, edc = organizations[AGGREGATORS[0].code], organizations[UTILITY]
    with sight.engine():
        ders = list(
            Der.objects.filter(
                pk__in=EnvelopePoint.objects.filter(edc=edc).values("der"), aggregator=aggregator, status=Der.Status.ACTIVE
            ).order_by("external_id")[:MOST]
        )
        if not ders:
            return
        aggregation = _aggregation(aggregator, edc, ders)
        moments = _moments(timezone.now())
        taking_in.prepare(moments[0])
        _write(ders, aggregation, moments[:-1])
        _write_flow(above(edc), moments[:-1])
    silent = [der for der in ders if _one_of(der, SILENT)]
    if silent:
        send(silent, moments[HEARD - 1])
    send([der for der in ders if der not in silent], moments[-1], ders)
    send_flow(moments[-1])
    checking.check_due()
    with sight.engine():
        for since in (moments[0], None):  # the readings from the first on; then the last day's telemetry
            findings.look(since)
        making.make_due()


def _aggregation(aggregator: Organization, edc: Organization, ders: list[Der]) -> Aggregation:
    """Of these DERs, for their utility, since yesterday."""
    found = Aggregation.objects.filter(aggregator=aggregator, name=NAME).first()
    if found is None:
        actor = policy.holders("submit_ders", aggregator).order_by("pk").first()
        found = building.create(actor=actor, aggregator=aggregator, name=NAME, purpose=Purpose.DISTRIBUTION, edc=edc, services=[SERVICE])
        terms = membership.Terms(starts=timezone.localdate() - DAY)
        membership.add(actor=actor, aggregation=found, ders=Der.objects.filter(pk__in=[der.pk for der in ders]), terms=terms)
        building.move(actor=actor, aggregation=found, name="submit")
    return found


def _moments(now: datetime) -> list[datetime]:
    """The moments from the beginning of yesterday up to now."""
    last = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0)
    first = timezone.make_aware(datetime.combine(timezone.localdate(now) - DAY, time.min))
    return [last - STEP * n for n in range((last - first) // STEP, -1, -1)]


def _hours(moments: list[datetime]) -> np.ndarray:
    return np.array([local.hour + local.minute / 60 for local in map(timezone.localtime, moments)])


def _rng(der: Der, what: str = "") -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{SEED}/{der.external_id}/{what}".encode()))


def _one_of(der: Der, number: int) -> bool:
    """Whether this is the one of so many DERs."""
    return zlib.crc32(der.external_id.encode()) % number == 0


def series(der: Der, moments: list[datetime]) -> tuple[np.ndarray, np.ndarray | None]:
    """Power (kW, injection positive) and state of charge (%) of a DER at moments; the same whenever they are asked for."""
    if _one_of(der, FAULTY):
        return np.zeros(len(moments)), None
    hours, kw, shift = _hours(moments), float(der.nameplate_ac_kw), _rng(der).normal(0, 0.4)
    if der.der_type in BATTERIES:
        power = 0.6 * around(hours, 18.5 + shift, 1.6) - 0.5 * around(hours, 12.5 + shift, 2.2)
        return kw * power, 20 + 70 / (1 + np.exp((np.abs(hours - 15.8) - 3.2) * 1.4))
    if der.der_type in (*STORING, DerType.EVSE):
        return -kw * 0.6 * around(hours, 21 + 2 * shift, 2), None
    if der.der_type == DerType.PHOTOVOLTAIC:
        return kw * 0.8 * _sun(hours, moments[-1]) * (0.75 + 0.25 * np.sin([each.timestamp() / 2900 + shift for each in moments])), None
    return np.full(len(moments), -0.1 * kw), None


def limited(ders: list[Der], moments: list[datetime]) -> dict[int, np.ndarray]:
    """Least and most injection (2, N) of DERs that keep to their envelopes, at moments, by the set in force then; infinite without."""
    kept = {der.pk for der in ders if not _one_of(der, HEEDLESS)}
    found = {der.pk: np.repeat([[-np.inf], [np.inf]], len(moments), 1) for der in ders}
    times = np.array([at.timestamp() for at in moments])
    runs = EnvelopeRun.objects.filter(feeder__in={der.feeder_id for der in ders}, ends_at__gt=moments[0], starts_at__lte=moments[-1])
    for run, since, until in runs.prefetch_related("blocks").in_force():
        inside = np.flatnonzero((times >= max(since, run.published_at).timestamp()) & (times < until.timestamp()))
        columns = ((times[inside] - run.starts_at.timestamp()) // (60 * run.step_minutes)).astype(int)
        for side, bound in enumerate(run.bounds.values()):
            kw = bound.kw()
            for row, (der, *others) in enumerate(bound.ders):
                if der in kept and not others:
                    found[der][side, inside] = kw[row, columns]
    return found


def around(hours: np.ndarray, peak: float, width: float) -> np.ndarray:
    """A bell over the day."""
    return np.exp(-(((hours - peak) / width) ** 2))


def _sun(hours: np.ndarray, at: datetime) -> np.ndarray:
    """The share of full sun, by the season's hours of light before and after noon."""
    half = 4.7 + 1.5 * (1 - abs((at.timetuple().tm_yday - 172) / 183))
    return np.cos(np.clip((hours - 12.2) / half, -1, 1) * np.pi / 2) ** 1.2


def _write(ders: list[Der], aggregation: Aggregation, moments: list[datetime]) -> None:
    """What was before now, as it would have been received."""
    lines, total, limits = [], np.zeros(len(moments)), limited(ders, moments)
    for der in ders:
        wished, charge = series(der, moments)
        power = np.clip(wished, *limits[der.pk])
        total += power
        rng = _rng(der, "lost")
        heard = rng.random(len(moments)) >= LOST
        if _one_of(der, SILENT):
            heard[HEARD:] = False
        delays = rng.integers(1, 20, len(moments))
        lines += [_line(der, moments[n], int(delays[n]), (power[n], wished[n]), charge, n) for n in np.flatnonzero(heard)]
    copy_in("operations_reading", COLUMNS.split(), ["".join(lines).encode()])
    parties = f"{aggregation.pk},{aggregation.aggregator_id},{aggregation.edc_id}"
    source = f"{Heard.Source.GENERATED},{Heard.Quality.GOOD}"
    rows = [
        f"{parties},{at.isoformat()},{at.isoformat()},{(at + timedelta(seconds=5)).isoformat()},{source},{kw:.3f}\n"
        for at, kw in zip(moments, total, strict=True)
    ]
    copy_in("operations_subjectreading", SUMMED.split(), ["".join(rows).encode()])


def above(edc: Organization | None = None) -> TdInterface | None:
    """The T-D interface above the networks; None where there is none."""
    points = EnvelopePoint.objects.filter(feeder__substation__td_interface__isnull=False, **({"edc": edc} if edc else {}))
    points = points.select_related("feeder__substation__td_interface__pnode", "feeder__substation__td_interface__edc")
    point = points.order_by("pk").first()
    return point and point.feeder.substation.td_interface


def flow(moments: list[datetime]) -> np.ndarray:
    """What flows over the interface (kW, towards transmission positive): the sun's output less a load with a morning and an evening."""
    hours = _hours(moments)
    load = 0.45 + 0.2 * around(hours, 8, 2.5) + 0.5 * around(hours, 18.8, 3)
    return SUN_KW * _sun(hours, moments[-1]) - LOAD_KW * load


def _write_flow(interface: TdInterface | None, moments: list[datetime]) -> None:
    """What flowed before now, as the utility would have told it."""
    if interface is None:
        return
    parties = f"{interface.pk},{interface.edc_id},{interface.pnode.tso_id}"
    rows = [
        f"{parties},{at.isoformat()},{at.isoformat()},{(at + timedelta(seconds=4)).isoformat()},{Heard.Source.GENERATED},good,{kw:.1f}\n"
        for at, kw in zip(moments, flow(moments), strict=True)
    ]
    copy_in("operations_subjectreading", FLOWS.split(), ["".join(rows).encode()])


def send_flow(at: datetime) -> None:
    """What flows now over the interface, told by its utility as by everybody's."""
    with sight.engine():
        interface = above()
        actor = interface and policy.holders("manage_grid", interface.edc).order_by("pk").first()
    if actor:
        row = {"td_interface": interface.code, "edc": interface.edc.slug, "at": at.isoformat(), "p_kw": round(float(flow([at])[0]), 1)}
        taking_in.take_in(actor=actor, name="generated.json", content=json.dumps([row | {"source": Heard.Source.GENERATED}]).encode())


def _line(der: Der, at: datetime, delay: int, kw: tuple[float, float], charge: np.ndarray | None, n: int) -> str:
    said = _said(der, *kw, None if charge is None else charge[n])
    values = ",".join(str(said.get(name, "")) for name in ("operating", "p_kw", "q_kvar", "soc_percent", "up_kw", "down_kw"))
    received = (at + timedelta(seconds=delay)).isoformat()
    return f"{der.pk},{der.aggregator_id},{der.edc_id},{at.isoformat()},{at.isoformat()},{received},{said['source']},good,{values}\n"


def _said(der: Der, p_kw: float, wished: float, charge: float | None) -> dict:
    """What a DER says of itself at a moment; `wished` is what it would inject without an envelope."""
    kw = float(der.nameplate_ac_kw)
    if _one_of(der, FAULTY):
        return {"source": Heard.Source.GENERATED, "operating": Told.Operating.FAULT, "p_kw": 0.0}
    up = kw - p_kw if charge is not None else max(wished - p_kw, 0.0)
    down = kw + p_kw if charge is not None else max(p_kw, 0.0) + max(p_kw - wished, 0.0)
    said = {"p_kw": p_kw, "q_kvar": -0.1 * p_kw, "up_kw": up, "down_kw": down} | ({} if charge is None else {"soc_percent": charge})
    told = {name: round(float(value), 3) for name, value in said.items()}
    return {"source": Heard.Source.GENERATED, "operating": Told.Operating.ON} | told


def go_on() -> None:
    """The readings of this moment of every DER that the demonstration generated readings for; nothing where there are none."""
    with sight.engine():
        keys = DerState.objects.filter(source=Heard.Source.GENERATED).values("der")
        ders = list(Der.objects.filter(pk__in=keys, status=Der.Status.ACTIVE).exclude(aggregator=None).order_by("external_id"))
    speaking = [der for der in ders if not _one_of(der, SILENT)]
    if speaking:
        now = _moments(timezone.now())[-1]
        send(speaking, now, ders)
        send_flow(now)


def send(ders: list[Der], at: datetime, members: list[Der] = ()) -> None:
    """A batch by the aggregator, as its platform would send it, with the sum of the aggregation's members where these are given."""
    rows, every = [], {der.pk: der for der in (*ders, *members)}.values()
    with sight.engine():
        limits = limited(list(every), [at])
    powers = {der.pk: float(np.clip(series(der, [at])[0], *limits[der.pk])[0]) for der in every}
    for der in ders:
        wished, charge = series(der, [at])
        said = _said(der, powers[der.pk], wished[0], None if charge is None else charge[0])
        rows.append({"der": str(der.uuid), "at": at.isoformat()} | said)
    with sight.engine():
        aggregator = Organization.objects.get(pk=ders[0].aggregator_id)
        actor = policy.holders("file_ders", aggregator).order_by("pk").first()
        aggregation = Aggregation.objects.filter(aggregator=aggregator, name=NAME).first()
    if members and aggregation:
        total = round(sum(powers[der.pk] for der in members), 3)
        rows.append({"aggregation": str(aggregation.uuid), "at": at.isoformat(), "p_kw": total, "source": Heard.Source.GENERATED})
    taking_in.take_in(actor=actor, name="generated.json", content=json.dumps(rows).encode())
