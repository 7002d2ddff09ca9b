"""Hosting capacity by node: O4, N8. The same screen over every node, kept by topology and month, drawn and exported."""

from pathlib import Path

import numpy as np
import pytest

from moc.access.policy import NotPermitted
from moc.celery import app
from moc.history import acting
from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.solver.case import Machine
from operations.envelopes.solver.problem import EXPORT, IMPORT, Policy
from operations.hosting import tasks
from operations.hosting.models import HostingMap, HostingNode
from operations.hosting.services import ordering
from operations.interconnection.solver import hosting, study, year
from operations.interconnection.solver.settings import Inverter
from operations.network.engine import opendss
from operations.network.services import building
from tests.factories.filings import store_in
from tests.factories.networks import current, points_of, rows
from tests.factories.world import REASON
from tests.factories.years import SHIPPED

PAGES, API = "/operations/hosting/", "/api/v1/operations/hosting-maps/"
CIRCUIT = Path(__file__).parents[1] / "references" / "ieee13-pv.dss"
OFF = tuple(f"batchedit {kind}..* enabled=no" for kind in ("pvsystem", "storage", "generator"))
POLICY = Policy("group", v_min=0.9, v_max=1.08)


def test_every_node_hosts_what_a_study_of_it_says():
    """On IEEE 13, for three nodes of three, two and one phases: the least of a study's limits in the same hours."""
    feeder = opendss.read(CIRCUIT, commands=OFF).at_constant_power()
    buses = hosting.buses_of(feeder)
    machine, asked = Machine(hosting.prepared(feeder, buses)), hosting.tried(feeder, buses)
    low, _ = year.typical(np.full(24, 0.8), SHIPPED)
    rest = machine.feeder.leg_va(machine.feeder.point_va[:, None] * low)
    worst = hosting.worst_columns(machine, rest, EXPORT)
    found = hosting.capacities(machine, rest[:, worst], len(buses), asked, EXPORT, POLICY)
    assert set(found.kind) <= {"", "voltage", "thermal"} and all(element for kind, element in zip(found.kind, found.element) if kind)
    for bus in ("671", "645", "652"):
        number, place = buses.index(bus), len(feeder.points) + buses.index(bus)
        inverter = Inverter({}, asked[[number]], asked[[number]])
        alone = study.limits(machine, rest[:, worst], place, asked[number], EXPORT, POLICY, inverter)
        assert found.watts[number] == pytest.approx(alone.limit.min(), rel=2e-3) and found.watts[number] > 0
    assert found.watts[buses.index("652")] < found.watts[buses.index("671")]
    high = hosting.capacities(machine, rest[:, worst], len(buses), asked, IMPORT, POLICY)
    assert (high.watts <= asked + 1).all() and (high.watts >= 0).all()


@pytest.fixture
def feeder(world, settings, tmp_path):
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    feeder = world.feeders["edc"][0]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, robust=False)
    current(world, feeder, rows(points_of(feeder)[:4], metres=60))
    return feeder


def mapped() -> HostingMap:
    (found,) = ordering.due()
    found.refresh_from_db()
    tasks.compute(found.job_id)
    found.refresh_from_db()
    return found


@pytest.mark.django_db
def test_a_map_is_made_of_every_network_once_a_month_and_anew_when_it_changes(world, feeder):
    found = mapped()
    assert (found.status, found.node_count) == ("done", 6) and set(found.facts["columns"]) == {"export", "import"}
    nodes = {each.bus: each for each in HostingNode.objects.filter(map=found)}
    assert set(nodes) == {"mid", "low", "b0", "b1", "b2", "b3"} and nodes["b3"].export_kw < nodes["b0"].export_kw
    assert nodes["b3"].export_binds == "voltage" and nodes["b3"].import_kw < nodes["low"].import_kw
    assert ordering.due() == []
    current(world, feeder, rows(points_of(feeder)[:4], metres=90))
    other = mapped()
    assert other.topology_hash != found.topology_hash and HostingMap.objects.count() == 2
    assert HostingNode.objects.get(map=other, bus="b3").export_kw < nodes["b3"].export_kw


@pytest.mark.django_db
def test_utility_and_regulator_see_map_nodes_and_export(world, feeder, client_of, api_of):
    found = mapped()
    for person in (world.user("edc", "viewer"), world.user("rerra", "auditor")):
        client, api = client_of(person), api_of(person)
        assert feeder.code in client.get(PAGES).content.decode()
        page = client.get(f"{PAGES}{found.uuid}/?direction=import&q=b3").content.decode()
        assert "ops-point--host" in page and "ops-mark" in page and "Nodes by what they can host: import" in page
        assert "b3" in client.get(f"{PAGES}{found.uuid}/nodes/").content.decode()
        sheet = b"".join(client.get(f"{PAGES}{found.uuid}/nodes/export.csv").streaming_content).decode()
        assert "feeder,month,bus,export_kw" in sheet.splitlines()[0] and ",b3," in sheet
        assert api.get(f"{API}{found.uuid}/").json()["node_count"] == found.node_count
        nodes = api.get(f"/api/v1/operations/hosting-nodes/?map={found.uuid}&bus=b3").json()["results"]
        assert [each["bus"] for each in nodes] == ["b3"] and nodes[0]["export_kw"] > 0
    stranger = client_of(world.user("aggregator", "administrator"))
    assert stranger.get(f"{PAGES}{found.uuid}/").status_code == stranger.get(f"{PAGES}{found.uuid}/nodes/").status_code == 404


@pytest.mark.django_db
def test_a_map_is_computed_again_by_who_manages_the_grid(world, feeder, client_of):
    found = mapped()
    with pytest.raises(NotPermitted):
        ordering.again(actor=world.user("edc", "viewer"), found=found)
    client_of(world.user("edc", "administrator")).post(f"{PAGES}{found.uuid}/transitions/again/")
    found.refresh_from_db()
    assert found.status == "computing"
    tasks.compute(found.job_id)
    found.refresh_from_db()
    assert found.status == "done" and found.nodes.count() == found.node_count


@pytest.mark.django_db
def test_a_map_is_asked_for_without_waiting_for_the_night(world, feeder, client_of, api_of):
    """By page and by program, for one's own feeder; what is there of this month is given."""
    manager = world.user("edc", "administrator")
    page = client_of(manager).post(f"{PAGES}new/", {"feeder": feeder.code})
    found = HostingMap.objects.get()
    assert page["Location"] == f"{PAGES}{found.uuid}/" and found.job.actor == manager and ordering.due() == []
    told = api_of(manager).post(API, {"feeder": feeder.code}, format="json")
    assert (told.status_code, told.json()["id"]) == (202, str(found.uuid)) and HostingMap.objects.count() == 1
    other = api_of(manager).post(API, {"feeder": world.feeders["edc"][1].code}, format="json")
    assert (other.status_code, other.json()["code"]) == (422, "HOSTING-NETWORK")
    assert client_of(manager).post(f"{PAGES}new/", {"feeder": "NOBODYS"}).status_code == 422
    with pytest.raises(NotPermitted):
        ordering.ask(actor=world.user("edc2", "administrator"), feeder=feeder)
    night = app.conf.beat_schedule["hosting capacity of feeders"]["schedule"]
    assert len(night.hour) == 1
