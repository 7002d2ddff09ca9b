"""Each rule of qualification with rows that pass and rows that break it, its number from a rule set. R7, N13; Order 2222 ¶159, ¶160."""

from datetime import date
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from moc.history import acting
from moc.rulesets.law import Law
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationPnode
from registry.ders.models import Der
from registry.grid.models import Feeder, Pnode, Substation, TdInterface
from registry.jurisdictions.models import AnnualSales, RetailProgram
from registry.participants.models import UtilityProfile
from registry.prequalification.models import BrokenRule, Offer
from registry.prequalification.rules import DERS, OFFERS
from registry.prequalification.services import passes
from tests.factories.ders import register
from tests.factories.qualification import ALWAYS, aggregate, law
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
BY_CODE = {test.rule.code: test for test in (*DERS, *OFFERS)}

# code → (rows of the law, facts of a DER that breaks it, facts of one that passes)
DER_CASES = {
    "PQ-DER-STATUS": ([], {"status": "inactive"}, {"status": "active"}),
    "PQ-DER-SMALL": ([("min_der_kw", 10)], {"nameplate_ac_kw": Decimal("9.999")}, {"nameplate_ac_kw": Decimal(10)}),
    "PQ-DER-LARGE": ([("max_der_kw", 50)], {"nameplate_ac_kw": Decimal("50.001")}, {"nameplate_ac_kw": Decimal(50)}),
    "PQ-RETAIL": ([("retail_conflicts", {"nem": ["energy"]})], {"retail_programs": ["nem"]}, {"retail_programs": ["time_of_use"]}),
    "PQ-DR-OPT-OUT": ([("dr_opt_out", True, "rerra")], {"der_type": "demand_response"}, {"der_type": "photovoltaic"}),
    "PQ-METERING": ([("metering_locations", ["rdp", "poi"])], {"meter_location": "submeter"}, {"meter_location": "poi"}),
    "PQ-NO-AGREEMENT": (
        [],
        {
            "approved_export_kw": 5,
            "nameplate_ac_kw": 9,
            "interconnection_capacity_kw": 4,
            "interconnection_agreement_no": "IA",
        },
        {"approved_export_kw": 4, "nameplate_ac_kw": 9, "interconnection_capacity_kw": 4, "interconnection_agreement_no": "IA"},
    ),
    "PQ-SMALL-UTILITY": ([("small_utility_mwh", 4_000_000, "")], {}, None),
}


def test_every_rule_on_ders_has_a_case():
    assert set(DER_CASES) == {test.rule.code for test in DERS}


@pytest.mark.parametrize("code", [code for code in DER_CASES if code != "PQ-SMALL-UTILITY"])
def test_rule_on_ders(world, code):
    """R7: a DER that breaks the rule, one that passes, and one of a market whose law has no such number."""
    rows, broken, passing = DER_CASES[code]
    for row in rows:
        law(*row)
    (bad,) = given(world, "BAD", broken)
    given(world, "GOOD", passing)
    elsewhere = given(world, "ELSE", broken, edc="edc2")
    found = set(BY_CODE[code].rule(Der.objects.all()))
    assert found == ({bad} if rows else {bad, *elsewhere})


def given(world, prefix: str, facts: dict, **where) -> list[Der]:
    """One DER with these facts; a status by a move, as the lifecycle has it."""
    made = register(world, 1, prefix=prefix, **{name: value for name, value in facts.items() if name != "status"}, **where)
    with acting(None, REASON):
        Der.objects.filter(pk=made[0].pk).update(status=facts.get("status", "active"))
    return made


def test_a_small_utility_needs_its_regulators_word(world):
    """R7: at most 4 million MWh and no opt-in: barred; the regulator's opt-in lets the same DER in."""
    with acting(None, REASON):
        UtilityProfile.objects.filter(edc=world.edc).update(annual_mwh=4_000_000)
        UtilityProfile.objects.filter(edc=world.edc2).update(annual_mwh=4_000_001)
    (small,) = register(world, 1)
    register(world, 1, prefix="LARGE", edc="edc2")
    rule = BY_CODE["PQ-SMALL-UTILITY"].rule
    assert set(rule(Der.objects.all())) == {small}
    law("small_utility_opt_in", True, "rerra")
    assert not rule(Der.objects.all()).exists()


def test_a_program_bars_only_the_services_it_pays_for(world):
    """Order 2222 ¶159, ¶160: narrow: the same DER sells every service that its retail program does not pay for."""
    law("retail_conflicts", {"nem": ["energy", "capacity"]})
    law("retail_conflicts", {"bars_wholesale": ["energy", "regulation"]}, "")
    nem, barred, _ = register(world, 3)
    with acting(None, REASON):
        Der.objects.filter(pk=nem.pk).update(retail_programs=["nem"])
        Der.objects.filter(pk=barred.pk).update(retail_programs=["nem", "bars_wholesale"])
    passes.qualify()
    rows = dict(BrokenRule.objects.filter(code="PQ-RETAIL").values_list("der", "services"))
    assert rows == {nem.pk: ["capacity", "energy"], barred.pk: ["capacity", "energy", "regulation"]}
    assert set(nem.qualifications.filter(eligible=False).values_list("service", flat=True)) == {"capacity", "energy"}
    assert nem.qualifications.get(service="regulation").eligible


def test_the_sales_of_the_year_before_decide_who_is_small(world):
    """18 CFR 35.28(g)(12)(iv): the fiscal year before; an older year and the running one say nothing."""
    law("small_utility_mwh", 4_000_000, "")
    year = date.today().year
    (der,) = register(world, 1)
    with acting(None, REASON):
        UtilityProfile.objects.filter(edc=world.edc).update(annual_mwh=1)
        for before, sales in ((2, 1), (1, 4_000_001), (0, 1)):
            AnnualSales.objects.create(edc=world.edc, year=year - before, sales_mwh=sales, source="A form")
    rule = BY_CODE["PQ-SMALL-UTILITY"].rule
    assert not rule(Der.objects.all()).exists()
    with acting(None, REASON):
        AnnualSales.objects.filter(edc=world.edc, year=year - 1).update(sales_mwh=4_000_000)
    assert set(rule(Der.objects.all())) == {der}


@pytest.mark.parametrize(
    ("terms", "barred"),
    [
        ({"bars_wholesale": True}, {"energy", "capacity", "regulation", "spinning_reserve", "non_spinning_reserve", "demand_response"}),
        ({"pays_for": ["energy"]}, {"energy"}),
        ({"pays_for": ["energy"], "valid_during": DateRange(date(2019, 1, 1), date(2020, 1, 1))}, set()),
    ],
)
def test_the_terms_of_a_program_bar_services_while_they_are_in_force(world, terms, barred):
    """¶160, ¶296: what the utility's program pays for, or every wholesale service where its terms say so; elsewhere nothing."""
    (mine,) = register(world, 1)
    (elsewhere,) = register(world, 1, edc="edc2", prefix="E")
    said = {"valid_during": DateRange(date(2020, 1, 1), None)} | terms
    with acting(None, REASON):
        RetailProgram.objects.create(edc=world.edc, code="NEM-2", name="Net metering", kind="net_metering", tariff="T", **said)
        RetailProgram.objects.update(status="in_force")
        Der.objects.update(retail_programs=["NEM-2"])
    passes.pull()
    found = dict(BrokenRule.objects.filter(code="PQ-RETAIL").values_list("der", "services"))
    assert {service for services in found.values() for service in services} == barred and elsewhere.pk not in found
    with acting(None, REASON):
        RetailProgram.objects.update(bars_wholesale=False, pays_for=["capacity"], valid_during=DateRange(date(2020, 1, 1), None))
    passes.pull()  # the terms are law: a change of them has everything judged anew
    assert BrokenRule.objects.get(code="PQ-RETAIL", der=mine).services == ["capacity"]


@pytest.fixture
def two(world):
    """Two DERs of 60 kW, offered together for energy."""
    law("min_aggregation_kw", 100)
    return aggregate(world, register(world, 2, nameplate_ac_kw=Decimal(60)), lower_limit_kw=0)


def broken_by(aggregation: Aggregation) -> set[str]:
    """What the rules say of an aggregation after a pass."""
    passes.qualify()
    return set(BrokenRule.objects.of(aggregation).values_list("code", flat=True))


def another_node(world, der: Der) -> None:
    """Move a DER to a feeder under another pricing node of the same market."""
    with acting(None, REASON):
        node = Pnode.objects.create(tso=world.tso, name="ANOTHER")
        interface = TdInterface.objects.create(edc=world.edc, pnode=node, code="TD2", name="Second")
        substation = Substation.objects.create(edc=world.edc, td_interface=interface, code="S2", name="Second")
        Der.objects.filter(pk=der.pk).update(feeder=Feeder.objects.create(edc=world.edc, substation=substation, code="F9"))


def changed(aggregation: Aggregation, **facts) -> None:
    with acting(None, REASON):
        Aggregation.objects.filter(pk=aggregation.pk).update(**facts)


def spread(world, aggregation) -> None:
    another_node(world, aggregation.members.first().der)


def with_factors(world, aggregation) -> None:
    spread(world, aggregation)
    with acting(None, REASON):
        AggregationPnode.objects.filter(aggregation=aggregation).update(factor="0.5")
        AggregationPnode.objects.create(aggregation=aggregation, pnode=Pnode.objects.get(name="ANOTHER"), factor="0.5", valid_during=ALWAYS)


# code → what is done to the aggregation of two so that it alone is broken
OFFER_CASES = {
    "PQ-AGG-SMALL": lambda world, aggregation: law("min_aggregation_kw", "120.001"),
    "PQ-AGG-INJECTION": lambda world, aggregation: _injecting(aggregation),
    "PQ-AGG-NODES": lambda world, aggregation: (with_factors(world, aggregation), law("location_scope", "single_pricing_node")),
    "PQ-AGG-MULTINODE": lambda world, aggregation: (with_factors(world, aggregation), law("max_multinode_kw", 119)),
    "PQ-AGG-FACTORS": spread,
    "PQ-AGG-FOREIGN": lambda world, aggregation: _moved(world),
    "PQ-AGG-MEMBERS": lambda world, aggregation: law("max_der_kw", 59),
    "PQ-AGG-SERVICE": lambda world, aggregation: law("market_services", ["capacity"]),
    "PQ-AGG-MODEL": lambda world, aggregation: law("participation_models", {"dera": "A model"}),
    "PQ-AGG-UNSTATED": lambda world, aggregation: changed(aggregation, stated_on=None),
}


def _injecting(aggregation) -> None:
    with acting(None, REASON):
        Der.objects.update(approved_export_kw=10, interconnection_agreement_no="IA")
    law("max_aggregation_injection_kw", 19)


def _moved(world) -> None:
    with acting(None, REASON):
        Der.objects.filter(external_id="D-1").update(edc=world.edc2)


def test_every_rule_on_offers_has_a_case():
    assert {*OFFER_CASES, "PQ-AGG-EMPTY"} == {test.rule.code for test in OFFERS}


def test_an_aggregation_that_breaks_nothing(two):
    assert broken_by(two) == set()


@pytest.mark.parametrize("code", OFFER_CASES)
def test_rule_on_offers(world, two, code):
    """R7: the aggregation passes before, and breaks exactly this rule after."""
    OFFER_CASES[code](world, two)
    assert broken_by(two) == {code}


def test_an_aggregation_without_members(world):
    law("min_aggregation_kw", "none")
    assert broken_by(aggregate(world, [])) == {"PQ-AGG-EMPTY"}


def test_a_cap_on_several_nodes_does_not_bind_at_one(world, two):
    """R7: the multi-node cap and the duty of factors hold only for several nodes."""
    law("max_multinode_kw", 1)
    assert broken_by(two) == set()
    assert Offer.objects.get().node_count == 1


def test_the_packs_are_as_sourced(world):
    """N13: six RTOs and a balancing authority without a market; only what was read at its source is verified."""
    rows = Law.on(date(2026, 11, 21)).rows
    known = {
        ("max_multinode_kw", "pjm"): (167_000, False),
        ("max_der_kw", "pjm"): (5_000, False),
        ("min_der_kw", "nyiso"): (10, False),
        ("location_scope", "nyiso"): ("single_transmission_node", True),
        ("day_ahead_close", "nyiso"): ("05:00", True),
        ("max_aggregation_injection_kw", "nyiso"): (20_000, False),
        ("max_multinode_kw", "caiso"): (20_000, False),
        ("telemetry_from_kw", "caiso"): (10_000, False),
        ("utility_review_days", "caiso"): (30, False),
        ("metering_locations", "iso-ne"): (["rdp", "poi"], False),
        ("meter_retention_years", "iso-ne"): (6, False),
        ("location_scope", "miso"): ("single_pricing_node", False),
        ("day_ahead_close", "miso"): ("10:30", True),
        ("location_scope", "spp"): ("single_settlement_location", False),
        ("min_aggregation_kw", "balancing-authority"): ("none", False),
    }
    assert {place: (rows[place].value, rows[place].verified) for place in known} == known
    assert not [place for place in rows if place[1] == "balancing-authority" and place[0].startswith(("day_ahead", "real_time"))]


def test_no_minimum_exceeds_what_the_order_allows(world):
    """Order 2222 ¶171: in every pack the minimum size of an aggregation is at most 100 kW."""
    values = RuleSet.objects.filter(key="min_aggregation_kw").exclude(value="none").values_list("value", flat=True)
    assert len(values) >= 6 and max(values) <= 100
