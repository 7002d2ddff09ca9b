"""The demonstration's networks: a real circuit with the feeder's own service points on it, the same bytes each time. O1."""

import io
import re
import zipfile

import pytest
from django.core.management import call_command

from moc.demo.feeders import unpacked
from moc.demo.networks import CIRCUIT, archive
from moc.demo.studies import more, table
from moc.demo.tasks import draw
from moc.history import acting
from operations.envelopes.models import EnvelopePolicy, EnvelopeRun
from operations.network import importers
from operations.network.models import NetworkVersion
from registry.grid.models import Feeder, Transformer
from tests.factories.filings import store_in
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db


@pytest.fixture
def feeder(world):
    """A feeder with homes, and one customer with three phases and a transformer."""
    feeder = world.feeders["edc"][0]
    with acting(None, "system: tests"):
        feeder.service_points.update(phases_available=1, nominal_voltage_v=240)
        shop = feeder.service_points.order_by("usage_point_id").last()
        shop.transformer = Transformer.objects.create(edc=feeder.edc, feeder=feeder, code="T-SHOP", rated_kva=150)
        shop.phases_available, shop.nominal_voltage_v = 3, 480
        shop.save()
    return feeder


@pytest.fixture
def files(tmp_path):
    return {path.name: path.read_text(errors="replace") for path in sorted(unpacked(CIRCUIT, tmp_path).parent.glob("*.dss"))}


def test_every_service_point_is_a_point_of_the_circuit(feeder, files, tmp_path):
    """O1: homes stand for loads of the circuit, three-phase customers behind their own transformer; the base case is a sound one."""
    packed = tmp_path / "f.zip"
    packed.write_bytes(archive(feeder, files))
    model = importers.read(packed, name="f.zip", source="opendss")
    names = {name.lower() for name in feeder.service_points.values_list("usage_point_id", flat=True)}
    assert names <= {str(point).split(".", 1)[1] for point in model.points}
    assert len(model.points) == 1379 + 1 and len(model.leg_point) == 1379 + 3


def test_the_same_feeder_gives_the_same_bytes(feeder, files):
    first = archive(feeder, files)
    assert archive(feeder, files) == first
    other = feeder.edc.feeders.exclude(pk=feeder.pk).first()
    with acting(None, "system: tests"):
        feeder.service_points.update(feeder=other)
    assert placed(archive(other, files)) != placed(first), "another feeder has its customers elsewhere"


def test_a_feeder_as_a_gis_would_tell_it_is_a_network(feeder, tmp_path):
    """O1: the registry's transformers along the shortest tree, every service point behind its own; the same bytes each time."""
    content = table(feeder)
    assert table(feeder) == content
    (tmp_path / "f.csv").write_bytes(content)
    model = importers.read(tmp_path / "f.csv", name="f.csv", source="table")
    assert model.alive.all()
    names = {name.lower() for name in feeder.service_points.values_list("usage_point_id", flat=True)}
    assert {str(point).split(".", 1)[1] for point in model.points} == names
    assert sum(str(name).startswith("transformer.") for name in model.element_names) == 1 + len(
        {*feeder.service_points.filter(phases_available=1).values_list("transformer")}
    )


def placed(content: bytes) -> set[tuple[str, str]]:
    """(service point, bus) of the homes."""
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        return set(re.findall(r"New Load\.(EDC\S+) .*?bus1=(\S+)", packed.read("Loads_ckt5.dss").decode(), re.IGNORECASE))


@pytest.fixture
def loaded(settings, tmp_path, monkeypatch):
    """A demonstration state, as the command and the task look for it."""
    store_in(settings, tmp_path)
    settings.MOC_DEMONSTRATION = True
    monkeypatch.setattr("moc.management.commands.demo_networks.loaded", lambda: True)
    monkeypatch.setattr("moc.demo.studies.REASON", REASON)  # as if these feeders were generated


def test_more_feeders_get_networks_on_demand(feeder, loaded):
    """O1: each once; every service point of the feeder is a point of its network, it is approved, and its envelopes are ordered."""
    out = io.StringIO()
    call_command("demo_networks", "--feeders", "1", stdout=out)
    version = NetworkVersion.objects.get()
    count = feeder.service_points.count()
    assert (version.feeder, version.status, version.linked_count) == (feeder, "current", count)
    assert f"{feeder.code}: Current; {count} of " in out.getvalue()
    assert EnvelopeRun.objects.of_feeder(feeder).count() == 2 and EnvelopePolicy.objects.get(edc=feeder.edc).auto_publish
    assert next(more(1)).feeder != feeder


def test_a_feeder_of_another_voltage_is_drawn_as_a_gis_would(feeder, loaded):
    """O1: the circuit is of 13.2 kV."""
    with acting(None, "system: tests"):
        feeder.nominal_kv = 34.5
        feeder.save()
    assert next(more(1)).source == "table"
    assert next(more(1)).source == "opendss"


def test_what_people_loaded_is_left_to_them(feeder, loaded, monkeypatch):
    """O1: a network is drawn for none but generated feeders, whatever the platform's settings."""
    monkeypatch.undo()
    assert list(more()) == [] and not NetworkVersion.objects.exists()


def test_each_feeder_gets_its_network_minute_by_minute(feeder, loaded, monkeypatch):
    """O1: after the load, as many as the seconds allow each time, until none is bare; nothing before."""
    assert draw() == 0
    assert len([*more(1)]) == 1 and EnvelopeRun.objects.exists()
    monkeypatch.setattr("moc.demo.tasks.NETWORKS_S", 0)
    bare = Feeder.objects.filter(service_points__isnull=False).distinct().count() - 1
    assert [draw() for _ in range(bare + 1)] == [1] * bare + [0]
    assert NetworkVersion.objects.filter(status="current").values("feeder").distinct().count() == bare + 1
