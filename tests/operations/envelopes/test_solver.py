"""The allocation of a feeder's room: published figures, OpenDSS as referee, and what must always hold. O4."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from operations.envelopes.solver.blocks import DEVICE
from operations.envelopes.solver.case import Case, Machine
from operations.envelopes.solver.explain import sharers
from operations.envelopes.solver.fairness import price
from operations.envelopes.solver.problem import IMPORT, Policy, Request
from operations.envelopes.solver.solve import solve, vertices
from operations.network.engine import opendss
from operations.network.engine.feeder import FeederModel
from tests.operations import feeders, optimum
from tests.operations.referee import Moving, Referee

FEW = 8
METHODS = ["group", "proportional", "equal", "weighted", "maximum"]


def european(method="group", head=1.0, **options) -> tuple[Request, Policy]:
    """A day of eight intervals on the European low-voltage feeder, with room for less than everybody wants."""
    request = feeders.flexible(feeders.model("european-lv", head), intervals=FEW, part=0.6)
    weights = np.linspace(1, 2, len(request.active)) if method == "weighted" else None
    return request, Policy(method, weights=weights, **feeders.VOLTS_230, **options)


def allocations(envelopes):
    return envelopes.exporting, envelopes.importing


def corner(request, policy, allocation) -> Case:
    return Case(Machine(request.feeder), request, policy, allocation.direction, np.ones((1, len(request.active))))


def test_the_published_limits_of_melbourne_come_out():
    """O4: all 9,216 proportional limits of the University of Melbourne's Ideal OE, floored to its step of 0.5 kW."""
    request, policy, published = feeders.melbourne()
    found = solve(request, policy)
    for kw, name in ((found.max_w / 1e3, "proportional_export"), (-found.min_w / 1e3, "proportional_import")):
        assert np.array_equal(np.floor(kw * 2 + 1e-6) / 2, published[name])


@pytest.mark.parametrize("method", METHODS)
def test_opendss_finds_no_violation(method):
    """O4: every policy, every interval, both directions, every voltage and every conductor."""
    request, policy = european(method)
    found, referee = solve(request, policy), Referee("european-lv", request.feeder, 1.0)
    for allocation in allocations(found):
        assert allocation.checked.all() and (allocation.share < 0.999).any()
        verdict = referee.judge(corner(request, policy, allocation), allocation.push_w)
        assert verdict.violations == 0 and verdict.checks > 10_000, str(verdict)
        assert max(verdict.worst_volts, verdict.worst_amps) > -1e-3, "no limit is reached: room was left unused"


def test_what_each_policy_costs():
    """O4: most energy ≥ group-fair ≥ proportional; proportional shares are equal; equal means the same kW."""
    found = {method: solve(*european(method)) for method in METHODS}
    for side in ("exporting", "importing"):
        prices = {method: price(getattr(envelopes, side)) for method, envelopes in found.items()}
        assert prices["maximum"].total_kw >= prices["group"].total_kw * 0.9999 >= prices["proportional"].total_kw * 0.9998
        assert prices["proportional"].jain == pytest.approx(1) and prices["maximum"].jain < 0.999
        push = getattr(found["equal"], side).push_w
        kept = getattr(found["equal"], side).share < 1
        assert np.ptp(np.where(kept, push, push.max(0)), axis=0).max() < 1


def test_most_energy_is_that_of_the_exact_optimum():
    """O4: the linear program against IPOPT on the whole AC network, where many points are worth the same (import) and where not."""
    request, policy = european("maximum")
    request = request.at(4)
    for side in allocations(solve(request, policy)):
        exact = optimum.most(corner(request, policy, side), 0, side.push_w[:, 0])
        assert 0.999 < side.push_w.sum() / exact.watts < 1.0001 and abs(exact.beyond) < 1e-5


def test_groups_that_answer_each_other_come_to_rest():
    """O4: what one phase gains another loses at noon; group-fair still comes near the most energy."""
    request, policy = feeders.flexible(feeders.model("european-lv", 1.0), intervals=12).at(6), european()[1]
    group, most = (solve(request, replace(policy, method=method)).exporting.push_w.sum() for method in ("group", "maximum"))
    assert group > 0.85 * most


def test_a_point_between_two_phases_is_of_both():
    """O4: IEEE 13: a delta load among wye loads is of two phases, one of three phases is of all."""
    feeder = feeders.model("ieee13-pv")
    names = ("634a", "634b", "634c", "645", "675a", "611", "646", "671")  # phases A, B, C, B, A, C, BC, ABC
    active = np.array([feeder.points.tolist().index(f"load.{name}") for name in names])
    masks = {"".join(mask) for mask in vertices(feeder, active).astype(int).astype(str)}
    assert masks == {"11111111", "10001001", "01010011", "00100111", "01110110", "10101100", "11011000"}


def test_all_behind_one_bottleneck_get_the_same_share():
    """O4: group-fair."""
    request, policy = european()
    found = solve(request, policy)
    case = corner(request, policy, found.exporting)
    for group in np.unique(case.group):
        assert np.ptp(found.exporting.share[case.group == group], axis=0).max() < 1e-6


def test_weights_weigh():
    """O4: under weights, a heavier point never gets a smaller share than a lighter one."""
    found = solve(*european("weighted"))
    assert (np.diff(found.exporting.share, axis=0) >= -1e-9).all()


def test_partial_use_is_safe_in_robust_mode_and_not_without():
    """O4: the box holds and not its corner alone: random parts of the points, in OpenDSS."""
    request, policy = european(robust=True)
    referee, rng = Referee("european-lv", request.feeder, 1.0), np.random.default_rng(7)
    masks = np.vstack([vertices(request.feeder, request.active), rng.random((12, len(request.active))) < 0.7]).astype(float)
    robust, plain = solve(request, policy), solve(request, replace(policy, robust=False))
    for kind, envelopes, tolerated in (("robust", robust, True), ("plain", plain, False)):
        worst = max(
            referee.judge(corner(request, policy, side), side.push_w, [1, 5], masks=masks).worst_volts for side in allocations(envelopes)
        )
        assert (worst <= 1e-3) is tolerated, kind
    assert robust.exporting.push_w.sum() < plain.exporting.push_w.sum()


def test_nothing_may_worsen_what_is_broken_without_anybody():
    """O4: the base case violates: an alarm names the element, nobody may add to it, and the way back stays open."""
    request, policy = european(head=1.13)
    found, referee = solve(request, policy), Referee("european-lv", request.feeder, 1.13)
    assert {alarm.kind for alarm in found.exporting.alarms} == {"high voltage"}
    assert found.exporting.push_w.sum() < 0.02 * found.importing.push_w.sum()
    verdict = referee.judge(corner(request, policy, found.exporting), found.exporting.push_w)
    assert verdict.violations == 0, str(verdict)


def test_a_smaller_rating_raises_no_limit():
    """O4: proportional limits, and group totals behind the transformer, never grow when its rating shrinks."""
    request, policy = european("proportional")
    smaller = replace(request.feeder, rating_amps=request.feeder.rating_amps * 0.08)
    before, after = solve(request, policy), solve(replace(request, feeder=smaller), policy)
    assert (after.exporting.push_w <= before.exporting.push_w + 1).all() and after.exporting.push_w.sum() < before.exporting.push_w.sum()
    group = replace(policy, method="group")
    before, after = solve(request, group), solve(replace(request, feeder=smaller), group)
    assert (after.exporting.push_w.sum(0) <= before.exporting.push_w.sum(0) + 1).all()


def test_both_ends_of_an_envelope_may_lie_on_one_side():
    """O4: a device that must run keeps its least injection, and the network carries it in both directions."""
    request, policy = european()
    low = request.low_w.copy()
    low[0], low[1] = 1_000, -9_000
    high = request.high_w.copy()
    high[1] = -2_000
    found = solve(replace(request, low_w=low, high_w=high), policy)
    assert (found.min_w[0] == 1_000).all() and (found.max_w[0] >= 1_000).all()
    assert (found.max_w[1] == -2_000).all() and (found.min_w[1] <= -2_000).all()


@pytest.mark.parametrize("method", ["group", "proportional", "maximum"])
def test_granted_room_comes_first_as_far_as_the_network_carries_it(method):
    """M8, O4: who was granted room gets it, the others share what is left, and OpenDSS finds nothing over a limit; nor where more was
    granted than there is."""
    request, policy = european(method)
    plain, referee = solve(request, policy).exporting, Referee("european-lv", request.feeder, 1.0)
    least = plain.push_w.min(1).argmin()
    one, all_of_it = np.zeros(request.high_w.shape), np.broadcast_to(request.high_w, request.high_w.shape).copy()
    one[least] = 7_000
    for granted in (one, all_of_it):
        found = solve(replace(request, granted_high_w=granted, granted_low_w=np.zeros(one.shape)), policy).exporting
        verdict = referee.judge(corner(request, policy, found), found.push_w)
        assert found.checked.all() and verdict.violations == 0, str(verdict)
        if granted is one:
            assert (found.push_w[least] >= 7_000 - 1).all() and (plain.push_w[least] < 7_000).any()
            assert np.delete(found.push_w, least, 0).sum() < np.delete(plain.push_w, least, 0).sum()


def regulated() -> tuple[Path, tuple[str, ...], FeederModel]:
    """The IEEE 123-node feeder with its seven regulators free to move, as OpenDSS has it, and its inverters off."""
    master = Path(__file__).parents[1] / "references" / "ieee123-pv.dss"
    free = (*(f"batchedit {kind}..* enabled=no" for kind in ("pvsystem", "generator", "storage")), "set controlmode=static")
    return master, free, opendss.read(master, commands=free)


def test_limits_hold_wherever_regulators_rest():
    """O4: night, noon and evening on a feeder with line regulators; OpenDSS moves them while points use any part of their envelopes, of
    both directions at once. Regulators frozen where the model has them would take most of that room away."""
    master, free, feeder = regulated()
    rng, loads = np.random.default_rng(3), np.array([0.35, 0.6, 1.0])
    active = np.sort(rng.choice(len(feeder.points), 27, replace=False))
    kw = np.full((len(active), len(loads)), 60e3)
    request = Request(feeder, feeder.leg_va(feeder.point_va[:, None] * loads), active, -kw, kw)
    machine = Machine(feeder)
    found, frozen = (solve(request, Policy(robust=True, controls=controls), machine) for controls in (True, False))
    assert all(side.checked.all() and (side.share < 0.999).any() for side in allocations(found))
    assert len(machine._at) > 2, "regulators moved"
    assert found.exporting.push_w.sum() > 1.5 * frozen.exporting.push_w.sum()
    referee, worst = Moving(master, feeder, free), -np.inf
    for t, load in enumerate(loads):
        part = rng.random((10, len(active)))
        uses = [found.max_w[:, t], found.min_w[:, t], *(found.min_w[:, t] + part * (found.max_w[:, t] - found.min_w[:, t]))]
        uses += [np.where(each > 0.5, found.max_w[:, t], found.min_w[:, t]) for each in part]
        for injected in uses:
            power = feeder.point_va * load
            power[active] -= injected
            volts = referee.volts(power)
            worst = max(worst, float(np.maximum(volts - 1.05, 0.95 - volts).max()))
    assert worst <= 1e-3


def test_controls_that_find_no_rest_open_nothing():
    """O4: a forecast under which the feeder collapses has no state of its regulators, and no room."""
    feeder = regulated()[2]
    kw = np.full((2, 2), 10e3)
    request = Request(feeder, feeder.leg_va(feeder.point_va[:, None] * [0.5, 60.0]), np.array([3, 7]), -kw, kw)
    found = solve(request, Policy(controls=True))
    for side in allocations(found):
        assert side.checked.tolist() == [True, False] and (side.push_w[:, 1] == 0).all() and side.push_w[:, 0].sum() > 0


def test_a_limit_says_what_stops_it_and_who_shares_it():
    """O4: the binding row is at its limit; a point with all its room is stopped by its own device."""
    request, policy = european()
    found = solve(request, policy).exporting
    stopped = found.binding != DEVICE
    assert stopped.any() and (~stopped == (found.share >= 1 - 1e-4)).all()
    assert np.median(found.headroom[stopped]) < 5e-3
    assert str(found.row_names[found.binding[stopped][0]]).startswith(("load.", "line.", "transformer."))
    case = corner(request, policy, found)
    point, interval = np.argwhere(stopped)[0]
    assert len(sharers(case, int(found.binding[point, interval])))


def test_the_same_request_gives_the_same_bytes():
    """O4: on one machine and thread count."""
    first, second = solve(*european()), solve(*european())
    assert first.max_w.tobytes() == second.max_w.tobytes() and first.min_w.tobytes() == second.min_w.tobytes()


@pytest.mark.parametrize("name, controls", [("european-lv", False), ("ieee13-pv", True)])
def test_each_direction_is_held_against_its_own_base_case(name, controls):
    """O4: exports against the least that the others consume, imports against the most: as if each were the forecast; OpenDSS agrees."""
    if controls:
        request, policy = feeders.medium(feeders.model(name), intervals=4), Policy("proportional", controls=True)
    else:
        request, policy = european()
    least, most = 0.6 * request.base_va, 1.3 * request.base_va
    held = replace(request, least_va=least, most_va=most)
    found = solve(held, policy)
    low, high = (solve(replace(request, base_va=each), policy) for each in (least, most))
    assert found.max_w.tobytes() == low.max_w.tobytes() and found.min_w.tobytes() == high.min_w.tobytes()
    assert [alarm.kind for alarm in found.importing.alarms] == [alarm.kind for alarm in high.importing.alarms]
    part = held.during(slice(1, 3))
    assert np.array_equal(part.least_va, least[:, 1:3]) and np.array_equal(part.most_va, most[:, 1:3])
    for side in () if controls else allocations(found):
        verdict = Referee(name, request.feeder, 1.0).judge(corner(held, policy, side), side.push_w)
        assert side.checked.all() and verdict.violations == 0 and verdict.checks > 10_000, str(verdict)


def test_an_interval_without_a_solution_has_no_room():
    """O4: a forecast under which the feeder collapses opens nothing to anybody."""
    request, policy = european()
    base = request.base_va.copy()
    base[:, 3] *= 900
    found = solve(replace(request, base_va=base), policy)
    for side in allocations(found):
        assert side.checked.tolist() == [t != 3 for t in range(FEW)]
        assert (side.push_w[:, 3] == 0).all() and side.push_w[:, 2].sum() > 0


def test_group_fair_where_all_at_once_have_no_solution():
    """O4: devices so large that full push has no power flow: groups still get what they can, more than one share for all."""
    request, policy = european()
    request = replace(request, low_w=20 * request.low_w, high_w=20 * request.high_w).at(2)
    case = Case(Machine(request.feeder), request, policy, IMPORT, np.ones((1, len(request.active))))
    assert case.unsolved.all() and np.isfinite(case.v_full).all() and len(case.rows) < len(request.feeder.rating_amps)
    group, alike = (solve(request, replace(policy, method=method)).importing for method in ("group", "proportional"))
    assert group.checked.all() and group.push_w.sum() > 1.05 * alike.push_w.sum()


def test_an_unknown_policy_is_refused():
    request, policy = european()
    with pytest.raises(ValueError, match="no policy"):
        solve(request, replace(policy, method="lottery"))
