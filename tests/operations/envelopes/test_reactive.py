"""Reactive power in envelopes: issued power factors and curves, and limits in kvar where a capability is known; OpenDSS as referee. O4."""

from dataclasses import replace

import numpy as np
import pytest

from moc.history import acting
from operations.envelopes import reports
from operations.envelopes.models import EnvelopeBlock, EnvelopePoint, EnvelopePolicy
from operations.envelopes.services import computing, devices, life, reacting
from operations.envelopes.services.devices import Capable, Device
from operations.envelopes.solver.case import Case, Machine
from operations.envelopes.solver.inverters import Capability, Inverters
from operations.envelopes.solver.problem import Policy, Request
from operations.envelopes.solver.solve import solve
from operations.network.services import building
from registry.ders.inverters import VOLT_VAR
from registry.ders.models import Der
from tests.factories.networks import current, der, ordered, points_of
from tests.factories.world import REASON
from tests.operations import feeders
from tests.operations.referee import Referee

KVA, CURVE = 1.1, tuple(np.array(VOLT_VAR).T)
ABSORBING = -np.sqrt(1 / 0.95**2 - 1)


def european(**options) -> tuple[Request, Policy]:
    request = feeders.flexible(feeders.model("european-lv", 1.0), intervals=4, part=0.6)
    return request, Policy("group", **feeders.VOLTS_230, **options)


def inverters(request: Request, *, factor: float = 0.0, curve: int = -1) -> Inverters:
    """One behind each active point, of a tenth more kVA than it exports."""
    count, rated = len(request.active), request.high_w[:, 0].astype(float)
    every = np.arange(count), np.ones(count), np.ones(count)
    return Inverters(*every, np.full(count, factor), np.full(count, curve), (CURVE,), rated, KVA * rated)


def capability(request: Request) -> Capability:
    count, kva = len(request.active), KVA * request.high_w[:, 0].astype(float)
    return Capability(np.arange(count), np.ones(count), np.ones(count), 0.44 * kva, 0.44 * kva, kva)


def held(request: Request, policy: Policy, side, vars_injected: np.ndarray | float = 0.0, part: np.ndarray | float = 1.0):
    """OpenDSS's verdict on a part of a direction's push, with vars (A, T) injected beside it; and the case."""
    case = Case(Machine(request.feeder), request, policy, side.direction, np.ones((1, len(request.active))))
    push, every = side.push_w * part, np.arange(case.count)
    case.base = (case.base + case.reactive(push, every) - 1j * (case.shares @ np.broadcast_to(vars_injected, push.shape))).astype(
        np.complex64
    )
    return Referee("european-lv", request.feeder, 1.0).judge(case, push), case


def test_a_fixed_power_factor_goes_with_every_kw():
    """O4: who absorbs may export more and import less where the voltage binds; OpenDSS finds no violation, and limits that are reached."""
    request, policy = european()
    plain, steered = solve(request, policy), replace(request, inverters=inverters(request, factor=ABSORBING))
    found = solve(steered, policy)
    assert (found.exporting.push_w.sum(0) > 1.1 * plain.exporting.push_w.sum(0)).all()
    assert (found.importing.push_w.sum(0) < 0.95 * plain.importing.push_w.sum(0)).all()
    for side in (found.exporting, found.importing):
        verdict, case = held(steered, policy, side)
        assert side.checked.all() and verdict.violations == 0 and max(verdict.worst_volts, verdict.worst_amps) > -1e-3, str(verdict)
        injected = -(case.shares.T @ (case.direction * (case.spread @ side.push_w)).imag) / np.asarray(case.shares.sum(0)).T
        assert np.allclose(injected, ABSORBING * side.push_w, rtol=1e-4), "it absorbs both ways"


def test_what_must_run_brings_its_vars_along():
    """O4: both ends on one side: the reactive power of the part that is always there is in the base case."""
    request, policy = european()
    must = replace(request, low_w=np.full(request.low_w.shape, 2e3), inverters=inverters(request, factor=ABSORBING))
    case = Case(Machine(request.feeder), must, policy, -1, np.ones((1, len(request.active))))
    added = (case.base - request.base_va).sum(0)
    assert np.allclose(added.real, -2e3 * len(request.active), rtol=1e-4) and np.allclose(
        added.imag, -ABSORBING * 2e3 * len(request.active), rtol=1e-4
    )


def test_volt_var_stands_on_its_curve_at_the_limits():
    """O4: at OpenDSS's own voltages the curve says the vars that the limits were computed with; more export than at unity power factor."""
    request, policy = european()
    steered = replace(request, inverters=inverters(request, curve=0))
    plain, found = solve(request, policy), solve(steered, policy)
    assert (found.exporting.push_w.sum(0) > 1.15 * plain.exporting.push_w.sum(0)).all()
    referee = Referee("european-lv", request.feeder, 1.0)
    for side in (found.exporting, found.importing):
        verdict, case = held(steered, policy, side)
        assert side.checked.all() and verdict.violations == 0 and max(verdict.worst_volts, verdict.worst_amps) > -2e-3, str(verdict)
        power = case.base[:, 1] + case.direction * (case.spread @ side.push_w[:, 1])
        volts, _ = referee.solve(power)
        own, legs = request.active, request.feeder.leg_point
        at = np.array([volts[legs == point].mean() for point in own])
        kva = steered.inverters.rated_va
        there = np.clip(side.push_w[:, 1] / (0.2 * steered.inverters.rated_w), 0, 1)
        wanted = np.interp(at, *CURVE) * kva * there
        got = (steered.inverters.answer(-case.direction * side.push_w[:, 1:2], at[:, None]))[:, 0]
        drawn = np.array([power[legs == point].sum().imag for point in own]) - np.array(
            [request.base_va[legs == point, 1].sum().imag for point in own]
        )
        assert np.allclose(wanted, got) and np.abs(drawn + wanted).max() < 2e-3 * kva.max() and np.abs(wanted).max() > 0.05 * kva.max()


@pytest.mark.parametrize("robust", [False, True])
def test_limits_in_kvar_hold_beside_those_in_kw(robust):
    """O4: every kvar within its limits, with all kW or a part of them; a service at its highest voltage absorbs only."""
    request, policy = european(robust=robust)
    asked, rng = replace(request, capability=capability(request)), np.random.default_rng(1)
    found, plain = solve(asked, policy), solve(request, policy)
    most = 0.44 * KVA * request.high_w
    for side, without in ((found.exporting, plain.exporting), (found.importing, plain.importing)):
        assert np.array_equal(side.push_w, without.push_w), "active power comes first"
        assert (side.least_var <= 0).all() and (side.most_var >= 0).all()
        assert (-side.least_var <= most + 1).all() and (side.most_var <= most + 1).all()
        for q in (side.least_var, side.most_var):
            parts = [(np.ones(q.shape), 1.0), (0.0 * q, 1.0)]
            parts += [(rng.random(q.shape) < 0.5, rng.random(q.shape) < 0.5) for _ in range(3 * robust)]
            for of_kw, of_kvar in parts:
                verdict, _ = held(request, policy, side, q * of_kvar, of_kw)
                assert verdict.worst_volts < 1e-3 and verdict.worst_amps < 5e-3, str(verdict)
    if not robust:  # at the vertices of one phase the others' vars have no room: phases lift each other by their neutral
        assert found.exporting.least_var.sum() < -0.5 * most.sum() and found.exporting.most_var.sum() < 0.05 * most.sum()
    assert np.hypot(found.exporting.push_w, found.exporting.least_var).max() <= KVA * request.high_w.max() + 1


def test_under_partial_use_some_inject_while_others_absorb():
    """O4: where active power leaves room, half of what either way has holds with any mixture of both, on any phases."""
    request, policy = european(robust=True)
    small = replace(request, low_w=request.low_w / 10, high_w=request.high_w / 10)
    asked, rng = replace(small, capability=capability(request)), np.random.default_rng(2)
    found = solve(asked, policy)
    for side in (found.exporting, found.importing):
        assert -side.least_var.sum() > 0.05 * side.most_var.size * 1e3 and side.most_var.sum() > 0.05 * side.most_var.size * 1e3
        for _ in range(4):
            q = np.where(rng.random((len(side.push_w), 1)) < 0.5, side.least_var, side.most_var)
            verdict, _ = held(small, policy, side, q, rng.random((len(q), 1)) < 0.5)
            assert verdict.worst_volts < 1e-3 and verdict.worst_amps < 5e-3, str(verdict)


def test_controls_stay_where_they_are_within_the_kvar():
    """O4: of regulators that move, no limit in kvar is given that would move them on, and the limits in kW stay the same."""
    feeder = feeders.model("ieee13-pv")
    request = feeders.medium(feeder, intervals=3)
    request = replace(request, low_w=request.low_w / 40, high_w=request.high_w / 40)
    count, kva = len(request.active), 1.2 * request.high_w[:, 0]
    own = Capability(np.arange(count), np.ones(count), np.ones(count), 0.44 * kva, 0.44 * kva, kva)
    machine, policy = Machine(feeder), Policy(controls=True)
    plain, found = solve(request, policy, machine), solve(replace(request, capability=own), policy, machine)
    for side, without in ((found.exporting, plain.exporting), (found.importing, plain.importing)):
        assert np.array_equal(side.push_w, without.push_w) and side.checked.any()
        assert ((side.least_var <= 0) & (side.most_var >= 0)).all() and (side.most_var[:, ~side.checked] == 0).all()
    assert any((side.most_var - side.least_var).sum() > 0 for side in (found.exporting, found.importing))


def test_settings_hold_the_range_of_a_device():
    """O4: maximum W, and what a fixed power factor leaves of the kVA; its rule takes its capability."""
    plain = Device({}, 10.0, 11.0, 5.0, 5.0)
    assert plain.held(-8, 10) == (-8, 10) and plain.known and not plain.rule
    assert Device({"max_w": 60.0}, 10.0, 11.0, None, None).held(-8, 10) == (-8, 6)
    steered = Device({"power_factor": -0.8}, 10.0, 10.0, 5.0, 5.0)
    assert steered.held(-9, 10) == (-8, 8) and not steered.known and steered.rule == "power_factor"


def test_behind_one_point_each_has_its_part():
    """O4: shares of what a point does go by what each can do; vars by factor, curve and capability add up."""
    told, factor, curve = (Device(said, 10.0, 10.0, 4.4, 4.4) for said in ({}, {"power_factor": 0.9}, {"volt_var": VOLT_VAR}))
    rows = [Capable(n, 0, -2.0 * n, 5.0, [], each) for n, each in enumerate((told, factor, curve))]
    active = devices.active_points(rows)
    assert (active.points.tolist(), active.owner.tolist()) == ([0], [0, 0, 0])
    steered, free = active.inverters(), active.capability()
    by_factor = 5e3 * np.sqrt(1 / 0.9**2 - 1)
    assert np.allclose(steered.between(np.array([[15e3]]), exporting=True)[:, :, 0], [[0, -4.4e3], [by_factor, 4.4e3]])
    assert np.allclose(free.left(np.array([[15e3]]), exporting=True), 4.4e3)
    assert np.allclose(free.left(np.array([[29.4e3]]), exporting=True), np.sqrt(10e3**2 - 9.8e3**2))
    assert np.allclose(steered.import_share, [1 / 3, 2 / 3]), "the third draws twice as much as the second"


@pytest.fixture
def feeder(world):
    """Four points behind one secondary: the first with a registered capability, the second with a volt-var curve, the others with none."""
    building._cached.cache_clear(), computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    current(world, feeder)
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
        made = [der(world, point, external_id=f"Q{n}") for n, point in enumerate(points_of(feeder)[:4])]
        Der.objects.filter(pk=made[0].pk).update(rated_kva=11, rated_inject_kvar=4.8, rated_absorb_kvar=3)
        Der.objects.filter(pk=made[1].pk).update(rated_kva=11, inverter_settings={"volt_var": VOLT_VAR})
    return feeder


def limits(name: str) -> reports.Limits:
    point = EnvelopePoint.objects.get(der__external_id=name)
    return reports.limits_of([point])[point.pk][0]


def test_a_set_holds_kvar_where_it_is_known(world, feeder, api_of, client_of):
    """O4: by page, API and CSV; nothing where no capability is registered; the hash is over them too."""
    run = ordered(world, feeder)
    life.publish(actor=world.user("edc", "administrator"), run=run)
    told, steered, none = limits("Q0"), limits("Q1"), limits("Q2")
    assert set(told.kvar) == {"import", "export"} and none.kvar == {}
    for way in told.kvar.values():
        least, most = (np.array(values) for values in way)
        assert len(least) == 24 and (least >= -3).all() and (most <= 4.8).all() and (least <= 0).all() and (most >= 0).all()
    assert min(told.kvar["export"][0]) < -1 and set(steered.kvar["export"][0]) == {-4.8} and max(steered.kvar["export"][1]) == 4.8
    user = world.user("aggregator", "administrator")
    rows = {row["der"]: row["limits"][0] for row in api_of(user).get("/api/v1/operations/envelopes/").json()["results"]}
    of = {each.external_id: rows[str(each.uuid)] for each in Der.objects.filter(external_id__startswith="Q")}
    assert (
        of["Q0"]["kvar_exporting"] == dict(zip(("least", "most"), told.kvar["export"], strict=True)) and of["Q2"]["kvar_importing"] is None
    )
    browser = client_of(user)
    pages = {
        name: browser.get(f"/operations/envelopes/{EnvelopePoint.objects.get(der__external_id=name).pk}/").content.decode() for name in of
    }
    assert "least while exporting" in pages["Q0"] and "volt-var curve" in pages["Q1"] and "its capability is not registered" in pages["Q2"]
    lines = b"".join(browser.get("/operations/envelopes/export.csv").streaming_content).decode("utf-8-sig").splitlines()
    header = lines[0].split(",")
    cells = {line.split(",")[0]: dict(zip(header, line.split(","), strict=True)) for line in reversed(lines[1:])}
    assert float(cells["Q0"]["least_kvar_while_exporting"]) == told.kvar["export"][0][0] and cells["Q2"]["most_kvar_while_importing"] == ""
    before, block = life.content_hash(run), EnvelopeBlock.objects.filter(run=run, bound="max")
    block.update(most_kvar=bytes(block.get().most_kvar) + b"x")
    assert life.content_hash(run) != before


def test_a_policy_may_leave_kvar_out(world, feeder):
    """O4: limits in kW are the same; a volt-var inverter's vars are in the base of the check all the same."""
    run = ordered(world, feeder)
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.update(reactive=False)
    without = ordered(world, feeder)
    assert without.pk != run.pk and not any(block.kvar_rows for block in without.blocks.all())
    kw = [[bytes(block.limits) for block in each.blocks.order_by("bound")] for each in (run, without)]
    assert kw[0] == kw[1] and all(block.kvar_rows == [0, 1] for block in run.blocks.all())


def test_issued_settings_have_envelopes_computed_anew(world, feeder):
    """O4: a decision's settings change what a DER does, and with it the set."""
    run = ordered(world, feeder)
    assert reacting.react(now=run.starts_at) == []
    with acting(None, "system: tests"):
        Der.objects.filter(external_id="Q2").update(inverter_settings={"power_factor": -0.95, "max_w": 50})
    (again,) = reacting.react(now=run.starts_at)
    assert again.policy["limits"] != run.policy["limits"]
    ready = devices.active_points(devices.capabilities(again.network))
    assert [each.most for each in ready.all] == [10, 10, 5, 10] and (ready.told.tolist(), ready.ruled.tolist()) == ([0], [1, 2])
