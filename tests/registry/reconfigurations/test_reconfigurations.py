"""A utility moves service points in one act, consequences first; valid time beside record time (R3, R4, ¶204, ¶310, ¶338)."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationMember
from registry.ders.models import Der
from registry.grid.models import Feeder, Pnode, ServicePoint, Substation, TdInterface, Transformer
from registry.reconfigurations import reports
from registry.reconfigurations.models import FormerConnection, Reconfiguration
from registry.reconfigurations.services import acts
from tests.factories.ders import register

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 1)


@pytest.fixture
def manager(world):
    return world.user("edc", "administrator")


@pytest.fixture
def other(world) -> Feeder:
    """A feeder of the same utility at another pricing node."""
    with acting(None, "system: tests"):
        pnode = Pnode.objects.create(tso=world.tso, name="OTHER")
        interface = TdInterface.objects.create(edc=world.edc, pnode=pnode, code="TD2", name="Second")
        substation = Substation.objects.create(edc=world.edc, td_interface=interface, code="S2", name="Second")
        return Feeder.objects.create(edc=world.edc, substation=substation, code="F9")


@pytest.fixture
def ders(world) -> list[Der]:
    return register(world, 6)


@pytest.fixture
def aggregation(world, ders) -> Aggregation:
    """All six DERs, at one node."""
    agents = dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), world.aggregator)
    with acting(None, "system: tests"):
        made = Aggregation.objects.create(
            aggregator=world.aggregator, tso=world.tso, services=["energy"], name="A", stated_on=DAY, stated_kw=30, **agents
        )
        for der in ders:
            AggregationMember.objects.create(
                aggregation=made,
                der=der,
                service_id="energy",
                aggregator=world.aggregator,
                edc=world.edc,
                wholesale=True,
                valid_during=("2026-01-01", None),
            )
    return made


def prepare(world, actor, **said) -> Reconfiguration:
    given = {"edc": world.edc, "reason": "Relief", "starts_on": DAY, "from_feeder": world.feeders["edc"][0]} | said
    return acts.prepare(actor=actor, **given)


def law(key: str, value) -> None:
    with acting(None, "system: tests"):
        RuleSet.objects.create(key=key, authority="tso", value=value, valid_during=("2020-01-01", None), source="tests")


def test_consequences_come_first_and_nothing_moves(world, manager, other, ders, aggregation):
    """The preview counts what comes to another node, and names the locational rule that the aggregation would break (¶204)."""
    law("location_scope", "single_pricing_node")
    made = prepare(world, manager, to_feeder=other)
    (found,) = made.preview["aggregations"]
    moving = Der.objects.filter(feeder=world.feeders["edc"][0]).count()
    assert (made.status, made.preview["points"], made.preview["ders"], made.preview["new_node"]) == ("previewed", 6, moving, moving)
    assert (found["moved"], found["nodes_before"], found["nodes_after"]) == (moving, ["EDC ZONE"], ["EDC ZONE", "OTHER"])
    assert found["breaks"] == ["PQ-AGG-NODES"] and reports.shown(made)[0]["rules"][0].code == "PQ-AGG-NODES"
    assert not FormerConnection.objects.exists() and not ServicePoint.objects.filter(feeder=other).exists()


def test_an_aggregation_that_may_spread_breaks_nothing_unless_it_is_too_large(world, manager, other, aggregation):
    law("location_scope", "pnode_set")
    assert prepare(world, manager, to_feeder=other).preview["aggregations"][0]["breaks"] == []
    law("max_multinode_kw", 1)
    assert prepare(world, manager, to_feeder=other).preview["aggregations"][0]["breaks"] == ["PQ-AGG-MULTINODE"]


def test_one_act_moves_points_ders_and_transformers_and_tells_who_is_touched(world, manager, other, ders, aggregation):
    first = world.feeders["edc"][0]
    made = acts.carry_out(actor=manager, reconfiguration=prepare(world, manager, to_feeder=other))
    moved = ServicePoint.objects.filter(feeder=other)
    assert (made.status, made.point_count, moved.count(), ServicePoint.objects.filter(feeder=first).count()) == ("done", 6, 6, 0)
    assert Der.objects.filter(feeder=other).count() == made.der_count > 0 and not Der.objects.filter(feeder=first).exists()
    assert Transformer.objects.get(edc=world.edc, code="T-F1").feeder == other and moved.filter(transformer=None).count() == 0
    version = moved.first().history.first()
    assert (version.history_user, version.history_change_reason) == (manager, "Relief")
    aggregation.refresh_from_db()
    assert aggregation.restate_since == timezone.localdate()
    assert Notice.objects.filter(event="reconfigured", user=world.user("aggregator", "filer")).count() == 1
    assert Notice.objects.filter(event="reconfigured", user=world.user("tso", "administrator")).count() == 1


def test_a_part_of_a_transformers_points_leaves_it(world, manager, other):
    """Listed points alone: the transformer stays with the others."""
    made = prepare(world, manager, from_feeder=None, usage_points=["edc-up-01", " edc-up-03 ", ""], to_feeder=other)
    acts.carry_out(actor=manager, reconfiguration=made)
    assert Transformer.objects.get(edc=world.edc, code="T-F1").feeder == world.feeders["edc"][0]
    assert list(ServicePoint.objects.filter(feeder=other).values_list("usage_point_id", "transformer")) == [
        ("edc-up-01", None),
        ("edc-up-03", None),
    ]


def test_a_transformer_and_a_whole_feeder_can_be_targets(world, manager, other):
    transformer = Transformer.objects.get(code="T-F2", edc=world.edc)
    acts.carry_out(actor=manager, reconfiguration=prepare(world, manager, to_transformer=transformer))
    assert ServicePoint.objects.filter(transformer=transformer, feeder=world.feeders["edc"][1]).count() == 12
    second = prepare(world, manager, from_feeder=world.feeders["edc"][1], to_substation=other.substation, starts_on=DAY + timedelta(days=9))
    acts.carry_out(actor=manager, reconfiguration=second)
    assert Feeder.objects.get(pk=world.feeders["edc"][1].pk).substation == other.substation
    point = ServicePoint.objects.get(usage_point_id="edc-up-01")
    known = timezone.now()
    nodes = [reports.connection(point, day, known).node for day in (DAY, DAY + timedelta(days=9))]
    assert nodes == ["EDC ZONE", "OTHER"]


def test_as_known_on_one_day_what_held_on_another(world, manager, other):
    """The act is recorded today about a day long past: before it was recorded, the registry answers as it knew."""
    point, before = ServicePoint.objects.get(usage_point_id="edc-up-01"), timezone.now()
    acts.carry_out(actor=manager, reconfiguration=prepare(world, manager, to_feeder=other))
    after = timezone.now()
    eve = DAY - timedelta(days=1)
    held = {(day, known): reports.connection(point, day, known).feeder for day in (eve, DAY) for known in (before, after)}
    assert held == {(eve, before): "F1", (DAY, before): "F1", (eve, after): "F1", (DAY, after): "F9"}
    assert reports.connection(point, eve, after).until == DAY == reports.connection(point, DAY, after).since
    assert reports.connection(point, DAY, before - timedelta(days=3000)) is None


def test_two_acts_leave_no_gap_and_no_overlap(world, manager, other):
    point, later = ServicePoint.objects.get(usage_point_id="edc-up-01"), DAY + timedelta(days=30)
    acts.carry_out(actor=manager, reconfiguration=prepare(world, manager, to_feeder=other))
    back = prepare(world, manager, from_feeder=other, to_feeder=world.feeders["edc"][0], starts_on=later)
    acts.carry_out(actor=manager, reconfiguration=back)
    days = [row.valid_during for row in FormerConnection.objects.filter(service_point=point).order_by("id")]
    assert [(each.lower, each.upper) for each in days] == [(None, DAY), (DAY, later)]
    early = prepare(world, manager, to_feeder=other, starts_on=DAY)
    with pytest.raises(Conflict) as refused:
        acts.carry_out(actor=manager, reconfiguration=early)
    assert refused.value.code == "RECONFIGURATION-OVERTAKEN" and FormerConnection.objects.filter(service_point=point).count() == 2


def test_an_act_does_only_what_was_shown(world, manager, other, ders):
    made = prepare(world, manager, to_feeder=other)
    with acting(None, "system: tests"):
        ServicePoint.objects.filter(usage_point_id="edc-up-02").update(feeder=world.feeders["edc"][0])
    with pytest.raises(Conflict) as refused:
        acts.carry_out(actor=manager, reconfiguration=made)
    assert refused.value.code == "RECONFIGURATION-STALE" and not FormerConnection.objects.exists()
    acts.discard(actor=manager, reconfiguration=made)
    with pytest.raises(Conflict):
        acts.carry_out(actor=manager, reconfiguration=made)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"reason": " "}, "REASON"),
        ({"starts_on": timezone.localdate() + timedelta(days=1)}, "RECONFIGURATION-DAY"),
        ({"from_feeder": None, "usage_points": ["edc-up-01", "edc2-up-01"]}, "RECONFIGURATION-POINTS"),
        ({"from_feeder": "edc2"}, "RECONFIGURATION-EDC"),
        ({"from_feeder": "other"}, "RECONFIGURATION-EMPTY"),
    ],
)
def test_what_lacks_something_is_refused(world, manager, other, said, code):
    places = {"edc2": world.feeders["edc2"][0], "other": other}
    said = {name: places.get(value, value) if isinstance(value, str) else value for name, value in said.items()}
    with pytest.raises(UserError) as refused, transaction.atomic():
        prepare(world, manager, to_feeder=other, **said)
    assert refused.value.code == code and not Reconfiguration.objects.exists()


def test_one_source_and_one_target(world, manager, other):
    with pytest.raises(ValidationError, match="only one of these"):
        prepare(world, manager, to_feeder=other, usage_points=["edc-up-01"])
    with pytest.raises(ValidationError, match="only one of these"):
        prepare(world, manager, to_feeder=other, to_substation=other.substation)


def test_only_who_manages_the_grid_reconfigures(world, manager, other):
    made = prepare(world, manager, to_feeder=other)
    for actor in (world.user("edc", "reviewer"), world.user("edc2", "administrator"), world.user("aggregator", "administrator")):
        with pytest.raises(NotPermitted):
            acts.carry_out(actor=actor, reconfiguration=made)
        with pytest.raises(NotPermitted):
            prepare(world, actor, to_feeder=other)


def test_what_was_recorded_of_connections_is_never_changed(world, manager, other):
    acts.carry_out(actor=manager, reconfiguration=prepare(world, manager, to_feeder=other))
    with pytest.raises(DatabaseError), transaction.atomic(), acting(None, "system: tests"):
        FormerConnection.objects.update(feeder=other)
    with pytest.raises(DatabaseError), transaction.atomic(), acting(None, "system: tests"):
        FormerConnection.objects.all()._raw_delete("default")
