"""The part of the access matrix's scene that is about qualification: verdicts, an override, decisions and a change of the law."""

from datetime import date

from django.db import models
from django.utils import timezone

from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleSet
from registry.aggregations.models import Aggregation, AggregationMember, AggregationUtility
from registry.prequalification.models import BrokenRule, MarketDecision, Offer, Qualification, QualificationOverride, QualificationPass
from registry.prequalification.services import passes
from tests.contracts.scene_aggregations import ALWAYS, make
from tests.factories.world import World

OVERRIDDEN = "regulation"


def objects(world: World, others: dict[str, models.Model]) -> dict[str, models.Model]:
    """Two aggregations that wait for the RTO, one of which qualifies; what was found, overridden and decided; a drafted change."""
    RuleSet.objects.create(key="pack", authority="tso", value="balancing-authority", valid_during=ALWAYS, source="tests")
    RuleSet.objects.create(
        key="market_services",
        authority="tso",
        value=["energy", "demand_response", "spinning_reserve", OVERRIDDEN],
        valid_during=ALWAYS,
        source="-",
    )
    der, aggregation = others["der"], others["aggregation"]
    ready = _ready(world, der)
    others_of_rto = _at_the_rto(world, der)
    user = world.user("edc", "approver")
    parties = {"aggregator": world.aggregator, "edc": world.edc}
    said = {**parties, "by": world.edc, "eligible": False, "reason": "Its feeder", "made_by": user}
    override = QualificationOverride.objects.create(der=der, service_id=OVERRIDDEN, **said)
    barred = QualificationOverride.objects.create(aggregation=aggregation, service_id="energy", **said)
    decided_by = world.user("tso", "administrator")
    act = {"verdicts": {}, "decided_by": decided_by}
    decision = MarketDecision.objects.create(aggregation=aggregation, kind="deny", rule="PQ-AGG-UNSTATED", **act)
    question = MarketDecision.objects.create(aggregation=others_of_rto["asked"], kind="ask", statement="Which meters?", **act)
    passes.pull()
    return others_of_rto | {
        "ready": ready,
        "barred": barred,
        "question": question,
        "override": override,
        "market_decision": decision,
        "verdict": Qualification.objects.get(der=der, service="energy"),
        "broken": BrokenRule.objects.of(aggregation).first(),
        "offer": Offer.objects.get(aggregation=aggregation),
        "pass": QualificationPass.objects.first(),
        "rule_change": rulesets.draft(
            actor=decided_by, organization=world.tso, key="max_der_kw", value=4, source="An order", starts_on=timezone.localdate()
        ),
    }


def _at_the_rto(world: World, der) -> dict[str, Aggregation]:
    """One that the RTO asks about, one that is registered and qualifies no more, one that is suspended and qualifies again."""
    made = {name: make(world.aggregator, world.tso, name=name.capitalize()) for name in ("asked", "failing", "suspended")}
    parties = {"aggregator": world.aggregator, "edc": world.edc}
    again = made["suspended"]
    AggregationMember.objects.create(
        aggregation=again, der=der, service_id="spinning_reserve", **parties, wholesale=True, valid_during=ALWAYS
    )
    facts = {"stated_on": date(2026, 1, 1), "participation_model": "bilateral", "services": ["spinning_reserve"]}
    for name, statuses in (("asked", ["asked"]), ("failing", ["registered"]), ("suspended", ["registered", "suspended"])):
        AggregationUtility.objects.create(aggregation=made[name], **parties)
        for status in ("submitted", *statuses):
            Aggregation.objects.filter(pk=made[name].pk).update(status=status, **(facts if name == "suspended" else {}))
        made[name].refresh_from_db()
    return made


def _ready(world: World, der) -> Aggregation:
    facts = {"stated_on": date(2026, 1, 1), "participation_model": "bilateral"}
    made = make(world.aggregator, world.tso, name="Ready", **facts)
    Aggregation.objects.filter(pk=made.pk).update(services=["demand_response"])
    parties = {"aggregator": world.aggregator, "edc": world.edc}
    AggregationMember.objects.create(
        aggregation=made, der=der, service_id="demand_response", **parties, wholesale=True, share_percent=50, valid_during=ALWAYS
    )
    AggregationUtility.objects.create(aggregation=made, **parties)
    Aggregation.objects.filter(pk=made.pk).update(status="submitted")
    made.refresh_from_db()
    return made
