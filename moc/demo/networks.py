"""Networks under the demonstration's feeders of 13.2 kV: seeded instances of EPRI's circuit 5 (a real circuit, source and licence in
data/SOURCE.md), whose customers are the feeder's own service points; and the envelopes of today and tomorrow, and on one of yesterday."""

import io
import random
import re
import tempfile
import zipfile
from datetime import datetime, time, timedelta
from functools import cache
from pathlib import Path

from django.core.files.base import ContentFile
from django.db.models import Count
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.demo.feeders import unpacked
from moc.demo.parties import AGGREGATORS
from moc.demo.sites import SEED
from moc.history import acting
from operations.envelopes.models import EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import life
from operations.envelopes.tasks import compute
from operations.network.models import NetworkVersion
from operations.network.services import versions
from operations.network.tasks import read
from registry.ders.choices import DerType
from registry.ders.models import Der
from registry.grid.models import Feeder, ServicePoint

CIRCUIT, NOMINAL_KV = "epri-ckt5", "13.2"
UTILITY, FEEDERS = "JCPL", 2  # whose feeders, at one substation, get a network
NEIGHBOURS = 15  # customers without DERs on each of them: their meters tell how the load of all others goes
MASTER, LOADS = "Master_ckt5.dss", "Loads_ckt5.dss"
LOAD = re.compile(r"^(new load\.)(\S+)", re.IGNORECASE | re.MULTILINE)
TRUNK = re.compile(r"^new line\.\S+ +bus1=\S+ +bus2=([\w-]+) .*enabled=true +phases=3", re.IGNORECASE | re.MULTILINE)
HEAD = re.compile(r"(new circuit\.ckt5 +pu=)[\d.]+", re.IGNORECASE)
# instead of 1.05 at peak load: a base case that keeps ANSI C84.1's 0.95 to 1.05 but for a few elements
HEAD_PU, LOAD_MULTIPLIER = "1.03", "0.65"
REASON = "system: load_demo"
LIMITED, LEFT, REPAIR = 24, 0.3, (9, 22)  # DERs that an operator limited yesterday, to this part of their nameplate, from hour to hour


def networks(organizations: dict[str, Organization]) -> None:
    """Loaded and approved; what is there stays, so that a load that was killed goes on."""
    for feeder in feeders_of(organizations[UTILITY]):
        neighbours(feeder)
        instance(feeder)


def instance(feeder: Feeder) -> NetworkVersion:
    """The circuit with a feeder's service points on it, approved."""
    return approved(feeder, NetworkVersion.Source.OPENDSS, ContentFile(archive(feeder, circuit()), name=f"{feeder.code}.zip"))


@cache
def circuit() -> dict[str, str]:
    """The circuit's files by name."""
    with tempfile.TemporaryDirectory() as folder:
        return {path.name: path.read_text(errors="replace") for path in sorted(unpacked(CIRCUIT, Path(folder)).parent.glob("*.dss"))}


def policy_of(edc: Organization) -> None:
    """What passes its check is published, unless the utility said otherwise."""
    with acting(None, REASON):
        EnvelopePolicy.objects.get_or_create(edc=edc, feeder=None, defaults={"auto_publish": True})


def envelopes(organizations: dict[str, Organization]) -> None:
    """Computed and published, by the forecasts that there are."""
    edc = organizations[UTILITY]
    policy_of(edc)
    for number, feeder in enumerate(feeders_of(edc)):
        if number == 0:
            _yesterday(feeder, organizations[AGGREGATORS[0].code])
        for run in life.order_days(feeder):
            compute(run.job_id)


def _yesterday(feeder: Feeder, aggregator: Organization) -> None:
    """The set that was in force yesterday, as it would have been published the evening before, with a few DERs of an aggregator that
    an operator limited for a repair: what it held back has something to show."""
    days = [timezone.localdate() - timedelta(days=before) for before in (1, 0)]
    starts_at, ends_at = (timezone.make_aware(datetime.combine(day, time())) for day in days)
    if EnvelopeRun.objects.of_feeder(feeder).overlapping(starts_at, ends_at).exclude(number=None).exists():
        return
    ders = Der.objects.filter(feeder=feeder, aggregator=aggregator, status=Der.Status.ACTIVE)
    ders = ders.filter(der_type__in=(DerType.PHOTOVOLTAIC, DerType.EVSE)).order_by("external_id")
    hours = [(starts_at + timedelta(hours=hour)).isoformat() for hour in REPAIR]
    caps = {str(pk): [-LEFT * float(kw), LEFT * float(kw), *hours] for pk, kw in ders.values_list("pk", "nameplate_ac_kw")[:LIMITED]}
    window = {"starts_at": starts_at, "ends_at": ends_at, "step_minutes": 60}
    run = life.order_until(actor=None, feeder=feeder, caps=caps, reason=REASON, **window)
    compute(run.job_id)
    with acting(None, REASON):
        EnvelopeRun.objects.filter(pk=run.pk, status=EnvelopeRun.Status.PUBLISHED).update(published_at=starts_at - timedelta(hours=6))


def neighbours(feeder: Feeder) -> None:
    """Customers without DERs, behind transformers where others have some; none where the feeder has a network already."""
    if NetworkVersion.objects.filter(feeder=feeder).exists():
        return
    homes = feeder.service_points.filter(phases_available=1).order_by("transformer", "usage_point_id").distinct("transformer")
    copied = ("edc_id", "transformer_id", "feeder_id", "county_id", "zip_code", "phases_available", "nominal_voltage_v")
    made = [
        ServicePoint(usage_point_id=f"{home.usage_point_id}-N", **{name: getattr(home, name) for name in copied})
        for home in homes[:NEIGHBOURS]
    ]
    with acting(None, REASON):
        ServicePoint.objects.bulk_create(made, ignore_conflicts=True)


def feeders_of(edc: Organization) -> list[Feeder]:
    """Feeders of the circuit's voltage at one substation of the utility: the first that has the most."""
    of_voltage = Feeder.objects.filter(edc=edc, nominal_kv=NOMINAL_KV)
    first = of_voltage.values("substation").annotate(count=Count("pk")).order_by("-count", "substation__code").first()
    return list(of_voltage.filter(substation=first["substation"]).select_related("edc").order_by("code")[:FEEDERS])


def approved(feeder: Feeder, source: str, upload: ContentFile) -> NetworkVersion:
    """A feeder's network from a file, read, and approved by a person of the utility; what is there stays."""
    version = NetworkVersion.objects.filter(feeder=feeder).first()
    if version is None:
        version = versions.receive(actor=None, feeder=feeder, source=source, upload=upload)
    read(version.job_id)
    version.refresh_from_db()
    if version.status == NetworkVersion.Status.STAGED:
        versions.approve(actor=policy.holders(versions.PERMISSION, feeder.edc).order_by("pk").first(), version=version)
        version.refresh_from_db()
    return version


def archive(feeder: Feeder, files: dict[str, str]) -> bytes:
    """The circuit as its files stand with the feeder's service points on it, the same bytes for the same seed.

    Homes take the place of loads, neighbours that of neighbours; who has three phases gets a transformer at a three-phase line."""
    rng = random.Random(f"{SEED}/{feeder.code}/network")
    points = list(feeder.service_points.order_by("usage_point_id").select_related("transformer"))
    homes = [point.usage_point_id for point in points if point.phases_available == 1]
    total = len(LOAD.findall(files[LOADS]))
    named, numbers = dict(zip(sorted(rng.sample(range(total), len(homes))), homes, strict=True)), iter(range(total))
    trunk = TRUNK.findall(files["Lines_ckt5.dss"])
    services = [_service(point, rng.choice(trunk)) for point in points if point.phases_available == 3]
    changed = {
        LOADS: LOAD.sub(lambda found: found[1] + named.get(next(numbers), found[2]), files[LOADS]) + "".join(services),
        MASTER: HEAD.sub(rf"\g<1>{HEAD_PU}", files[MASTER]) + f"\nset loadmult={LOAD_MULTIPLIER}\n",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in (files | changed).items():
            packed.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _service(point: ServicePoint, bus: str) -> str:
    """A customer with three phases: the service transformer of the registry at a bus of the circuit, a fifth of it as load."""
    name, kva, kv = point.usage_point_id, point.transformer.rated_kva, point.nominal_voltage_v / 1000
    low = f"low_{name}"
    return (
        f"\nnew transformer.{name} phases=3 windings=2 buses=({bus} {low}) conns=(wye wye) kvs=(12.47 {kv}) kvas=({kva} {kva}) xhl=4"
        f"\nnew load.{name} phases=3 bus1={low} kv={kv} kw={float(kva) / 5:.1f} pf=0.95 model=1 status=variable\n"
    )
