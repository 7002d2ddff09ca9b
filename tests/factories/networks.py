"""A little network under the first utility's feeders, as its CSV file says it, and envelopes on it."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
from django.core.files.base import ContentFile
from django.utils import timezone

from moc.documents.models import Document
from moc.history import acting
from operations.envelopes.models import EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import computing, life
from operations.forecasts.engine import blocks
from operations.forecasts.models import Forecast
from operations.network import importers
from operations.network.models import NetworkVersion
from operations.network.services import building, versions
from registry.ders.models import Der
from registry.grid.models import Feeder, Transformer
from tests.factories.world import REASON, World

HEADER = "kind,name,from_bus,to_bus,phases,kv,to_kv,kva,x_percent,length_m,r_ohm_per_km,x_ohm_per_km,rated_a,load_kw,load_kvar"
TRUNK = (
    "source,head,,sub,,12.47,,,,,,,,,",
    "line,trunk,sub,mid,ABC,,,,,1000,0.3,0.4,200,,",
    "transformer,service,mid,low,ABC,12.47,0.208,75,3,,,,,,",
)


def rows(points: list[str], *, metres: float = 40, kw: float = 3.0, rated_a: str = "200", kva: int = 75) -> bytes:
    """A CSV network with these service points one behind another on a secondary, one phase each, behind a transformer of `kva`."""
    lines, before = [HEADER, *(line.replace(",75,3,", f",{kva},3,") for line in TRUNK)], "low"
    for n, point in enumerate(points):
        lines.append(f"line,l{n},{before},b{n},ABC,,,,,{metres},0.4,0.1,{rated_a},,")
        lines.append(f"point,{point},b{n},,{'ABC'[n % 3]},0.208,,,,,,,,{kw},0.5")
        before = f"b{n}"
    return ("\n".join(lines) + "\n").encode()


def points_of(feeder: Feeder) -> list[str]:
    return list(feeder.service_points.order_by("usage_point_id").values_list("usage_point_id", flat=True))


def written(world: World, feeder: Feeder, content: bytes | None = None) -> NetworkVersion:
    """A checked version that the utility's reviewer loaded, without files or workers."""
    content = content or rows(points_of(feeder))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.csv"
        path.write_bytes(content)
        model = importers.read(path, name="network.csv", source="table")
    facts = {"name": "network.csv", "size": len(content), "sha256": "0" * 64, "kind": Document.Kind.GRID, "owner": feeder.edc}
    with acting(None, REASON):
        document = Document.objects.create(file=ContentFile(content, name="network.csv"), **facts)
        version = NetworkVersion.objects.create(
            edc=feeder.edc, feeder=feeder, source="table", document=document, loaded_by=world.user("edc", "reviewer")
        )
        building.write(version, model)
    version.refresh_from_db()
    return version


def current(world: World, feeder: Feeder, content: bytes | None = None) -> NetworkVersion:
    """An approved version."""
    version = written(world, feeder, content)
    versions.approve(actor=world.user("edc", "administrator"), version=version)
    version.refresh_from_db()
    return version


def der(world: World, point: str, *, export: float = 10, import_: float = 8, external_id: str = "", aggregator=None) -> Der:
    """An active DER at a service point."""
    facts = {"aggregator": aggregator or world.aggregator, "edc": world.edc, "status": Der.Status.ACTIVE, "der_type": "photovoltaic"}
    facts |= {
        "consent_reference": "C-1",
        "premise_address": "1 Elm Street, Red Bank",
        "customer_sector": "residential",
        "interconnection_agreement_no": "IA-1",
    }
    at = next(each for each in world.service_points["edc"] if each.usage_point_id == point)
    named = {"external_id": external_id or f"E-{point}", "service_point": at, "feeder": at.feeder, "registered_on": timezone.localdate()}
    return Der.objects.create(**facts, **named, nameplate_ac_kw=export, approved_export_kw=export, approved_import_kw=import_)


def street(world: World, *, auto_publish: bool) -> Feeder:
    """Four points one behind another behind the service transformer T-9 of 40 kVA, with tomorrow's set published: an EV at the first and a
    battery at the second are the first aggregator's, the panels FAR at the third are the second aggregator's."""
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)[:4]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=auto_publish)
        service = Transformer.objects.create(edc=world.edc, feeder=feeder, code="T-9", rated_kva=40)
        feeder.service_points.filter(usage_point_id__in=points).update(transformer=service)
        for point, name, kind in zip(points, ("EV", "BATTERY", "FAR"), ("evse", "storage", "photovoltaic"), strict=False):
            made = der(
                world, point, external_id=name, import_=0 if name == "FAR" else 8, aggregator=world.aggregator2 if name == "FAR" else None
            )
            Der.objects.filter(pk=made.pk).update(der_type=kind, energy_capacity_kwh=20 if kind == "storage" else None)
    current(world, feeder, rows(points, kva=40))
    life.publish(actor=world.user("edc", "administrator"), run=ordered(world, feeder))
    return feeder


def forecast(transformer: Transformer, kw: list[float], minutes_ago: int = 60, **more) -> Forecast:
    """What a transformer draws in tomorrow's 24 hours, published some minutes ago, with its errors where they are given."""
    feeder, values = transformer.feeder, -np.array([kw])
    at = timezone.now() - timedelta(minutes=minutes_ago)
    facts = {"edc": feeder.edc, "starts_at": midnight(), "minutes": 60, "published_at": at, "known_until": at, "unit": 0.1}
    facts |= {"day": timezone.localdate(midnight()), "transformers": [transformer.pk]}
    parts = {"points": [], "meters_block": b"", "transformers_block": blocks.pack(values, 0.1)}
    return Forecast.objects.create(feeder=feeder, kind="day_ahead", feeder_kw=values[0].tolist(), **(facts | parts | more))


def midnight(days: int = 1) -> datetime:
    day = timezone.localdate() + timedelta(days=days)
    return timezone.make_aware(datetime.combine(day, datetime.min.time()))


def ordered(world: World, feeder: Feeder, *, days: int = 1, hours: int = 24, step: int = 60, **more) -> EnvelopeRun:
    """A run that was computed and checked, as a worker does it."""
    actor = world.user("edc", "administrator")
    run = life.order(actor=actor, feeder=feeder, starts_at=midnight(days), hours=hours, step_minutes=step, **more)
    if run.status == EnvelopeRun.Status.COMPUTING:
        computing.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    return run
