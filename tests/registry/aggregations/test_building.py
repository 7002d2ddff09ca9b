"""Drafts, factors, performance and composition of aggregations: R4, Order 2222 ¶130, ¶225, ¶238, ¶338."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from registry.aggregations import reports
from registry.aggregations.models import Aggregation, AggregationPnode
from registry.aggregations.services import building, membership
from registry.aggregations.services.membership import Terms
from registry.grid.models import Pnode
from tests.factories.ders import register
from tests.factories.world import REASON
from tests.registry.aggregations.making import filed, made

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()


def test_agents_are_the_aggregator_unless_others_are_named(world):
    aggregation = made(world, meter_reader=world.edc)
    assert (aggregation.market_agent, aggregation.dispatch_agent, aggregation.meter_reader) == (
        world.aggregator,
        world.aggregator,
        world.edc,
    )


WRONG = {
    "no RTO": ({"tso": None}, "tso"),
    "no RTO at all": ({"tso": "edc"}, "tso"),
    "no utility": ({"edc": "tso"}, "edc"),
    "unknown service": ({"services": ["alchemy"]}, "services"),
    "wholesale service of a distribution aggregation": ({"purpose": "distribution", "tso": None}, "services"),
    "no name": ({"name": ""}, "name"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_there_cannot_be(world, case):
    """Each is told by field, and nothing is saved; the same without it is."""
    facts, blamed = WRONG[case]
    given = {name: world.organizations[value] if name in ("tso", "edc") and value else value for name, value in facts.items()}
    with pytest.raises(ValidationError) as refusal:
        made(world, **({"name": "Right"} | given))
    assert blamed in refusal.value.message_dict
    assert not Aggregation.objects.exists() and made(world, "Right")


def test_distribution_only_needs_no_rto(world):
    """RTO and node are asked only of wholesale services; nothing is registered again for the other purpose."""
    only = made(world, purpose="distribution", tso=None, services=["peak_reduction"], edc=world.edc, ders=register(world, 1))
    assert filed(world, only).status == "submitted"
    both = building.create(
        actor=world.user("aggregator", "filer"),
        aggregator=world.aggregator,
        **{"name": "Both", "purpose": "both", "tso": world.tso, "services": ["energy", "peak_reduction"]},
    )
    assert membership.add(actor=None, aggregation=both, ders=["D-1"], terms=Terms()).changed == 2


def test_an_aggregation_is_submitted_whole(world):
    empty = made(world, "Empty")
    with pytest.raises(UserError, match="no members"):
        filed(world, empty)
    nowhere = made(world, "Nowhere", td_interface=None, ders=register(world, 1))
    with pytest.raises(UserError, match="nodes"):
        filed(world, nowhere)
    building.set_factors(actor=world.user("aggregator", "filer"), aggregation=nowhere, factors={world.tso.pnodes.first(): Decimal(1)})
    assert filed(world, nowhere).status == "submitted"


def test_what_was_validated_stays(world):
    """After registration agents and performance change, the services and the RTO do not."""
    aggregation, actor = filed(world, made(world, ders=register(world, 1)), "submit", "register"), world.user("aggregator", "filer")
    with pytest.raises(UserError, match="validated"):
        building.change(actor=actor, aggregation=aggregation, services=["energy", "capacity"])
    changed = building.change(actor=actor, aggregation=aggregation, dispatch_agent=world.aggregator2)
    assert (changed.dispatch_agent, changed.services) == (world.aggregator2, ["energy"])


def test_while_it_is_validated_nothing_changes(world):
    aggregation = filed(world, made(world, ders=register(world, 1)))
    with pytest.raises(Conflict):
        building.change(actor=world.user("aggregator", "filer"), aggregation=aggregation, name="Other")


def test_members_that_change_outdate_performance(world):
    """¶338: stated for its members; outdated by the first change of them, until it is stated again."""
    actor, ders = world.user("aggregator", "filer"), register(world, 3)
    aggregation = made(world, ders=ders[:2])
    aggregation = building.change(actor=actor, aggregation=aggregation, upper_limit_kw=Decimal(3), lower_limit_kw=Decimal(-1))
    assert (aggregation.stated_on, aggregation.stated_kw, aggregation.restate_since) == (TODAY, 3, None)
    membership.add(actor=actor, aggregation=aggregation, ders=["D-3"], terms=Terms())
    aggregation.refresh_from_db()
    assert (aggregation.stated_kw, aggregation.restate_since) == (3, TODAY)
    aggregation = building.change(actor=actor, aggregation=aggregation, upper_limit_kw=Decimal(6))
    assert (aggregation.stated_kw, aggregation.restate_since) == (6, None)


def test_limits_are_in_order(world):
    with pytest.raises(ValidationError):
        made(world, upper_limit_kw=Decimal(1), lower_limit_kw=Decimal(2))


@pytest.mark.parametrize("second", [Decimal("0.499998"), Decimal("0.6"), Decimal("-0.5")])
def test_factors_that_do_not_sum_to_one(world, second):
    """¶225: 1 ± 1e-6, by the service and by the database."""
    aggregation, nodes = made(world), _nodes(world)
    with pytest.raises(UserError, match="sum to"):
        building.set_factors(
            actor=world.user("aggregator", "filer"),
            aggregation=aggregation,
            factors=dict(zip(nodes, (Decimal("0.5"), second), strict=True)),
        )
    with pytest.raises(IntegrityError), acting(None, REASON), transaction.atomic():
        for node, factor in zip(nodes, (Decimal("0.5"), second), strict=True):
            AggregationPnode.objects.create(aggregation=aggregation, pnode=node, factor=factor, valid_during=(TODAY, None))
        connection.check_constraints()
    assert not AggregationPnode.objects.exists()


def test_factors_hold_from_a_day_on(world):
    """Sets are versioned by day: earlier days keep theirs, later ones are replaced."""
    aggregation, (first, second), actor = made(world), _nodes(world), world.user("aggregator", "filer")
    later = TODAY + timedelta(days=10)
    building.set_factors(actor=actor, aggregation=aggregation, factors={first: Decimal(1)})
    building.set_factors(
        actor=actor, aggregation=aggregation, factors={first: Decimal("0.3333333"), second: Decimal("0.6666667")}, starts=later
    )
    own = AggregationPnode.objects.filter(aggregation=aggregation)
    assert [row.factor for row in own.on(TODAY)] == [1] and own.on(later).count() == 2
    building.set_factors(actor=actor, aggregation=aggregation, factors={second: Decimal(1)}, starts=TODAY)
    assert [(row.pnode, row.valid_during.upper) for row in own.all()] == [(second, None)]
    connection.check_constraints()


def _nodes(world) -> list[Pnode]:
    with acting(None, REASON):
        return [world.tso.pnodes.first(), Pnode.objects.create(tso=world.tso, name="SECOND")]


def test_a_node_of_another_rto(world):
    with pytest.raises(UserError, match="not of"):
        building.set_factors(
            actor=world.user("aggregator", "filer"), aggregation=made(world), factors={world.tso2.pnodes.first(): Decimal(1)}
        )


def test_composition_is_computed_from_the_members(world):
    """By technology, node and utility, with shares; a utility is told of its own DERs only; tomorrow's members do not count."""
    pv = register(world, 2)
    storage = register(world, 1, edc="edc2", prefix="B", der_type="storage", energy_capacity_kwh=Decimal(10), nameplate_ac_kw=Decimal(8))
    actor, aggregation = world.user("aggregator", "filer"), made(world, ders=pv)
    membership.add(actor=actor, aggregation=aggregation, ders=[storage[0].external_id], terms=Terms(share=Decimal(50)))
    register(world, 1, prefix="L")
    membership.add(actor=actor, aggregation=aggregation, ders=["L-1"], terms=Terms(starts=TODAY + timedelta(days=1)))
    parts = reports.composition(world.user("aggregator", "viewer"), aggregation)
    assert [(part.node, part.utility, part.ders, part.kw, part.kwh) for part in parts] == [
        ("EDC2 ZONE", str(world.edc2), 1, 4, 5),
        ("EDC ZONE", str(world.edc), 2, 3, 0),
    ]
    drawn = reports.drawn(parts)
    assert (drawn["ders"], drawn["kw"], drawn["kwh"]) == (3, 7, 5)
    assert [[bar.value for bar in chart.bars] for chart in drawn["charts"]] == [[4, 3]] * 3
    of_utility = reports.composition(world.user("edc", "viewer"), aggregation)
    assert [part.utility for part in of_utility] == [str(world.edc)]


def test_a_retired_aggregation_lets_its_members_go(world):
    aggregation = made(world, ders=register(world, 2))
    with acting(None, REASON):
        aggregation.members.filter(der__external_id="D-1").update(valid_during=(TODAY - timedelta(days=5), None))
    filed(world, aggregation, "retire")
    assert [row.valid_during.upper for row in aggregation.members.all()] == [TODAY]
    assert made(world, "Next", ders=list({row.der for row in aggregation.members.all()})).members.count() == 1


def test_agents_do_not_change_what_they_run(world):
    """An agent sees the aggregation; it remains its aggregator's."""
    aggregation = filed(world, made(world, market_agent=world.aggregator2, ders=register(world, 1)), "submit", "register")
    agent = world.user("aggregator2", "administrator")
    assert Aggregation.objects.visible_to(agent).get() == aggregation
    for change in (
        lambda: building.change(actor=agent, aggregation=aggregation, name="Mine"),
        lambda: building.move(actor=agent, aggregation=aggregation, name="retire", reason="mine"),
        lambda: membership.drop(actor=agent, aggregation=aggregation, ders=["D-1"], terms=Terms()),
    ):
        with pytest.raises(NotPermitted):
            change()
    aggregation.refresh_from_db()
    assert (aggregation.name, aggregation.status, aggregation.members.count()) == ("Shore", "registered", 1)
