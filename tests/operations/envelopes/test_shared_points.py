"""Several DERs behind one connection point: each is told its own part of what the point may do, and all parts together are no more. O4."""

from datetime import timedelta

import numpy as np
import pytest

from moc.history import acting
from operations.envelopes import reports
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy
from operations.envelopes.services import computing, devices, life
from operations.envelopes.services.devices import Capable, Device
from operations.envelopes.solver import blocks
from operations.network.services import building
from registry.ders.models import Der
from tests.factories.networks import current, der, midnight, ordered, points_of, rows
from tests.factories.world import REASON

OWN = ("edc", "aggregator")
NONE = Device({}, None, None, None, None)


@pytest.fixture
def feeder(world):
    """Four points behind a small transformer; at the first panels of 10 kW and another aggregator's battery of 5 kW."""
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    current(world, feeder, rows(points_of(feeder)[:4], kva=20))
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
        first, *others = points_of(feeder)[:4]
        der(world, first, external_id="PANELS", export=10, import_=0)
        der(world, first, external_id="BATTERY", export=5, import_=5, aggregator=world.aggregator2)
        [der(world, point) for point in others]
    return feeder


def published(world, feeder, **more) -> dict[str, reports.Limits]:
    run = ordered(world, feeder, **more)
    life.publish(actor=world.user("edc", "administrator"), run=run)
    points = list(EnvelopePoint.objects.select_related("der"))
    found = reports.limits_of(points)
    return {point.der.external_id: found[point.pk][0] for point in points}


def test_each_is_told_its_part(world, feeder):
    """O4: twice the room is twice the limit; nobody is told the point's whole limit."""
    found = published(world, feeder)
    panels, battery = (np.array(found[name].max_kw) for name in ("PANELS", "BATTERY"))
    assert (panels < 10).any(), "the grid binds"
    assert np.abs(panels - 2 * battery).max() <= 0.31 and set(found["PANELS"].min_kw) == {0.0} and min(found["BATTERY"].min_kw) < -0.5
    assert set(found["PANELS"].reasons["import"]) == {None}, "what it cannot draw, no grid stops"
    run = EnvelopePoint.objects.first().run
    other = next(values for name, values in found.items() if name not in ("PANELS", "BATTERY"))
    assert np.abs((panels + battery) / 15 - np.array(other.max_kw) / 10).max() < 0.03, "the point has its proportional share"
    assert run.point_count == 4 and len(run.blocks.first().ders) == 5


def test_who_shares_what_stops_it(world, feeder, client_of, api_of):
    """O4: the element, what is left of it and who shares it, in words, in the chart and by API; nobody sees another aggregator's DERs."""
    found = published(world, feeder)
    every = [each for way in found["PANELS"].reasons.values() for each in way if each]
    reason = max(every, key=lambda each: each.sharing)
    assert reason.sharing == 4 and all(0 <= each.headroom < 0.05 for each in every)
    point = EnvelopePoint.objects.select_related("der__edc").get(der__external_id="PANELS")
    pages = {who: client_of(world.user(who, "administrator")).get(f"/operations/envelopes/{point.pk}/").content.decode() for who in OWN}
    for page in pages.values():
        assert "DERs at these points:" in page and f"moc-lanes__{reason.kind}" in page and "left; shared with 3 other points" in page
    assert (
        " BATTERY</a>" in pages["edc"] and "BATTERY" not in pages["aggregator"] and f" E-{points_of(feeder)[3]}</a>" in pages["aggregator"]
    )
    told = api_of(world.user("aggregator", "administrator")).get(f"/api/v1/operations/envelopes/{point.pk}/").json()["limits"][0]["reasons"]
    assert [reason.kind, reason.headroom, 4] in [[each[name] for name in ("kind", "headroom", "sharing")] for each in told]
    utility = api_of(world.user("edc", "administrator"))
    (binds, *_) = utility.get(f"/api/v1/operations/envelope-runs/{point.run.uuid}/bindings/").json()
    assert binds["points"] >= 1 and 0 < binds["intervals"] <= 24 and binds["headroom"] < 0.05
    stranger = api_of(world.user("aggregator", "administrator"))
    assert stranger.get(f"/api/v1/operations/envelope-runs/{point.run.uuid}/bindings/").status_code == 404


def test_what_was_issued_stands_with_the_envelope(world, feeder, client_of, api_of):
    """O4: settings and limits by time of the utility's decision, on the envelope's page and by API."""
    windows = [{"starts": "11:00", "ends": "13:00", "export_kw": 1.5}]
    with acting(None, REASON):
        Der.objects.filter(external_id="PANELS").update(inverter_settings={"power_factor": -0.95}, limits_by_time=windows)
    found = published(world, feeder)
    assert max(found["PANELS"].max_kw[11:13]) <= 1.5 < max(found["PANELS"].max_kw)
    point = EnvelopePoint.objects.get(der__external_id="PANELS")
    page = client_of(world.user("aggregator", "filer")).get(f"/operations/envelopes/{point.pk}/").content.decode()
    assert "power factor -0.95" in page and "11:00" in page and "absorbing" in page
    one = api_of(world.user("aggregator", "filer")).get(f"/api/v1/operations/envelopes/{point.pk}/").json()
    assert one["inverter_settings"] == {"power_factor": -0.95} and one["limits_by_time"] == windows


def test_an_operators_limit_is_for_one_of_them(world, feeder):
    """O4: a limit of the battery takes nothing of the panels."""
    key = Der.objects.get(external_id="BATTERY").pk
    found = published(world, feeder, caps={str(key): [-1.0, 0.0]})
    assert max(found["BATTERY"].max_kw) == 0 and min(found["BATTERY"].min_kw) >= -1 and min(found["PANELS"].max_kw) > 1


def test_what_each_can_do_is_found_once(world, feeder, monkeypatch):
    """O4: within an operator's limit and limits by time, beside granted room; points and DERs are computed by the same ranges."""
    battery, panels = (Der.objects.get(external_id=name) for name in ("BATTERY", "PANELS"))
    with acting(None, REASON):
        Der.objects.filter(pk=panels.pk).update(limits_by_time=[{"starts": "11:00", "ends": "13:00", "export_kw": 1.5}])
    plain, found = computing.ranges_of, []
    monkeypatch.setattr(computing, "ranges_of", lambda run, active: found.append((active, plain(run, active))) or found[-1][1])
    run = life.order(actor=None, feeder=feeder, starts_at=midnight(1), hours=24, caps={str(battery.pk): [-1.0, 0.5]}, step_minutes=60)
    hours = [(run.starts_at + timedelta(hours=n)).isoformat() for n in (2, 4)]
    run.room = {str(panels.pk): [0, 6, *hours]}
    computing.carry_out(run, lambda *args: None)
    ((active, ranges),) = found
    rows = {each.der: row for row, each in enumerate(active.all)}
    assert (ranges[:, rows[battery.pk]].T == [-1e3, 500, 0, 0, 0]).all()
    least, most, start, low, high = ranges[:, rows[panels.pk]]
    assert not least.any() and not start.any() and not low.any() and np.flatnonzero(high == 6e3).tolist() == [2, 3]
    assert np.flatnonzero(most == 1.5e3).tolist() == [11, 12] and set(most) == {1.5e3, 10e3}
    blocks_ = {block.bound: block for block in run.blocks.all()}
    kw = blocks.unpack(bytes(blocks_["max"].limits), 5, 24, blocks_["max"].unit_kw)
    assert (kw * 1e3 <= ranges[1] + 1e-6).all() and (kw[rows[panels.pk]][2:4] >= 5.9).all(), "what was granted comes first"


def test_what_was_granted_to_one_goes_to_it_first():
    """¶302: the room that a utility granted to one DER is not shared with its neighbour behind the point."""
    both = [Capable(n, 0, 0.0, 10.0, [], NONE) for n in range(2)]
    live = devices.active_points(both)
    room, granted = np.full((2, 3), 10e3), np.array([[6e3] * 3, [0.0] * 3])
    found = computing._divided(live, np.array([[3e3, 8e3, 20e3]]), room, granted)
    assert np.allclose(found[:, 0], [3e3, 0]) and np.allclose(found[:, 2], [10e3, 10e3])
    assert np.allclose(found[:, 1], [6e3 + 2e3 * 4 / 14, 2e3 * 10 / 14])


def test_must_run_beside_must_charge():
    """O4: both directions start where the two stand together, so that their parts add up."""
    both = [Capable(0, 0, 2.0, 8.0, [], NONE), Capable(1, 0, -9.0, -3.0, [], NONE)]
    live = devices.active_points(both)
    own = np.array([[[2e3], [-9e3]], [[8e3], [-3e3]]])
    start = np.clip(0, *own)
    assert live.summed(start)[0, 0] == -1e3
    up = start + computing._divided(live, np.array([[3e3]]), own[1] - start, np.zeros((2, 1)))
    down = start - computing._divided(live, np.array([[3e3]]), start - own[0], np.zeros((2, 1)))
    assert up.sum() == 2e3 and down.sum() == -4e3 and up[1, 0] == -3e3 and down[0, 0] == 2e3
