"""Qualification of a registry in 2,000 aggregations: evaluation against sequential scans, a few changed DERs, a preview.

Runs after the update of all records, by its file's name: it adds a market, aggregations and members to the large registry.
"""

from datetime import date
from time import perf_counter

import pytest
from django.db import transaction
from django.utils import timezone

from moc.access.models import Organization
from moc.history import acting
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange
from registry.aggregations.models import Aggregation
from registry.catalogue import services as catalogue
from registry.ders.models import Der
from registry.participants.models import UtilityProfile
from registry.prequalification import reports
from registry.prequalification.models import Offer
from registry.prequalification.rules import DERS, OFFERS
from registry.prequalification.rules.numbers import Numbers, taking
from registry.prequalification.services import passes
from tests.scale import state
from tests.scale.figures import RUNS, Phases, verdict

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
AGGREGATIONS, CHANGED = 2_000, 100
ONE_RULE = "pass of PQ-DER-LARGE, beside the preview"
SCAN, FULL, FEW, PREVIEW = "one sequential scan", "full pass, verdicts written", "pass over 100 changed DERs", "preview of a rule change"
MEMBERS = """
    INSERT INTO registry_aggregationmember
        (aggregation_id, der_id, service_id, aggregator_id, edc_id, wholesale, share_percent, valid_during)
    SELECT (%s::bigint[])[id %% %s + 1], id, 'energy', aggregator_id, edc_id, true, 100, '[2020-01-01,)' FROM registry_der
"""


def test_qualification_of_all(small_and_large):
    large, phases = small_and_large[1], Phases()
    with large.entered(), large.superuser() as direct:
        numbers = _market(direct)
        rules = [(test, Der.objects.registered) for test in DERS] + [(test, Offer.objects.all) for test in OFFERS]
        with taking(numbers):
            with phases(FULL):
                passes.qualify(numbers=numbers)
            for _ in range(RUNS):
                with phases(SCAN):
                    Der.objects.filter(comms_endpoint="nowhere").count()
                with phases("what aggregations offer"), transaction.atomic():
                    passes.aggregations_judged(None)
                    transaction.set_rollback(True)
                for test, rows in rules:
                    with phases(f"rule {test.rule.code}"):
                        test.rule(rows()).order_by().count()
            _few(phases, numbers)
        _preview(phases, numbers)
    evaluated = sum(phases.median(name) for name in phases.seconds if name.startswith("rule ")) + phases.median("what aggregations offer")
    print(f"\n\nQualification of {large.rows:,} DERs in {AGGREGATIONS:,} aggregations\n{phases.table(large.rows)}")
    print(verdict("evaluation, scans of the DER table a rule", evaluated / len(rules) / phases.median(SCAN), ceiling=3))
    print(verdict("100 changed DERs, part of the full pass", phases.median(FEW) / phases.median(FULL), ceiling=0.01))
    print(verdict("preview against one rule's pass", phases.median(PREVIEW) / phases.median(ONE_RULE), ceiling=1.5))


def _market(direct) -> Numbers:
    """Every utility lies in one market; every DER is in one of the aggregations."""
    rulesets.load()
    catalogue.load()
    with acting(None, state.REASON):
        market = Organization.objects.create(kind="tso", name="The market", slug="pjm")
        for number, edc in enumerate(Organization.objects.filter(kind="edc").order_by("pk")):
            values = {"eia_id": 90_000 + number, "ownership": "other", "balancing_authority": "PJM"}
            UtilityProfile.objects.update_or_create(edc=edc, defaults={"tso": market}, create_defaults={"tso": market, **values})
        aggregator = Organization.objects.filter(kind="aggregator").first()
        agents = dict.fromkeys(("aggregator", "market_agent", "dispatch_agent", "meter_reader"), aggregator)
        made = Aggregation.objects.bulk_create(
            Aggregation(name=f"Aggregation {n}", tso=market, services=["energy"], stated_on=date(2026, 1, 1), **agents)
            for n in range(AGGREGATIONS)
        )
    direct.execute("SET session_replication_role = replica")
    direct.execute("TRUNCATE registry_aggregationmember")  # what another benchmark left
    direct.execute(MEMBERS, ([each.pk for each in made], AGGREGATIONS))
    direct.execute("SET session_replication_role = origin")
    direct.execute("VACUUM (ANALYZE) registry_aggregationmember")
    return Numbers.on(timezone.localdate())


def _few(phases: Phases, numbers: Numbers) -> None:
    """A fact of some DERs changes, and only they and their aggregations are judged."""
    keys = list(Der.objects.order_by("pk").values_list("pk", flat=True)[:CHANGED])
    for _ in range(RUNS):
        with acting(None, state.REASON):
            Der.objects.filter(pk__in=keys).update(meter_location="poi")
        started = perf_counter()
        made = passes.qualify(ders=keys, numbers=numbers)
        phases.add(FEW, perf_counter() - started)
        assert made.ders == CHANGED


def _preview(phases: Phases, numbers: Numbers) -> None:
    """A limit is tightened by a draft: who would newly break, in turns with a pass of the one rule under the law of today."""
    large = next(test for test in DERS if test.rule.code == "PQ-DER-LARGE")
    change = RuleChange(key="max_der_kw", authority="pjm", value=10, starts_on=timezone.localdate(), source="An order")
    for _ in range(3 * RUNS):
        with phases("the law of the day, read"):
            Numbers.on(timezone.localdate())
        with phases(ONE_RULE), taking(numbers):
            large.rule(Der.objects.registered()).order_by().count()
        with phases(PREVIEW):
            assert reports.touched(change, breaks=True).order_by().count()
