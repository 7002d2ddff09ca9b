"""The demonstration's networks: a real circuit with the feeder's own service points on it, the same bytes each time. O1."""

import io
import re
import zipfile

import pytest
from django.core.management import call_command

from moc.demo.feeders import unpacked
from moc.demo.networks import CIRCUIT, archive
from moc.demo.studies import more, table
from moc.history import acting
from operations.network import importers
from operations.network.models import NetworkVersion
from registry.grid.models import Transformer
from tests.factories.filings import store_in

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


def test_more_feeders_get_networks_on_demand(feeder, settings, tmp_path, monkeypatch):
    """O1: each once; every service point of the feeder is a point of its network, and it is approved."""
    store_in(settings, tmp_path)
    monkeypatch.setattr("moc.management.commands.demo_networks.loaded", lambda: True)
    settings.MOC_DEMONSTRATION = True
    out = io.StringIO()
    call_command("demo_networks", "--feeders", "1", stdout=out)
    version = NetworkVersion.objects.get()
    count = feeder.service_points.count()
    assert (version.feeder, version.status, version.linked_count) == (feeder, "current", count)
    assert f"{feeder.code}: Current; {count} of {count} points" in out.getvalue()
    assert next(more(1)).feeder != feeder
