"""Passes: a verdict for every subject and service, `since` that survives, only what changed. R7, N13."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from moc.access.models import Organization
from moc.history import acting
from moc.jobs.models import Job
from registry.aggregations.models import AggregationMember
from registry.catalogue import services as catalogue
from registry.ders.models import Der
from registry.participants.models import UtilityProfile
from registry.prequalification.models import BrokenRule, Qualification, QualificationPass
from registry.prequalification.services import passes
from tests.factories.ders import register
from tests.factories.qualification import aggregate, law
from tests.factories.world import REASON

pytestmark = pytest.mark.django_db
SIX = {"energy", "capacity", "regulation", "spinning_reserve", "non_spinning_reserve", "demand_response"}


def state() -> set[tuple]:
    """All verdicts and broken rules, without when."""
    verdicts = Qualification.objects.values_list("der", "aggregation", "service", "market", "by_rules", "eligible")
    broken = BrokenRule.objects.values_list("der", "aggregation", "code", "value", "limit")
    return {*verdicts, *broken}


def test_one_verdict_for_each_der_and_service_of_its_market(world):
    """R7: the market is that of the DER's utility; passed rules are not stored."""
    law("max_der_kw", 2)
    one, two, three = register(world, 3)
    passes.qualify()
    assert {(row.service_id, row.market_id, row.eligible) for row in one.qualifications.all()} == {
        (code, world.tso.pk, True) for code in SIX
    }
    assert not three.qualifications.filter(eligible=True).exists()
    assert list(BrokenRule.objects.values_list("der", "code", "value", "limit")) == [(three.pk, "PQ-DER-LARGE", "3", "2")]


def test_a_pass_that_changes_nothing_writes_nothing(world):
    """R7: timestamps of approval survive re-review."""
    register(world, 3)
    assert passes.qualify().changed == 18
    long_ago = timezone.now() - timedelta(days=30)
    with acting(None, REASON):
        Qualification.objects.update(since=long_ago)
    assert passes.qualify().changed == 0
    law("max_der_kw", 2)
    assert passes.qualify().changed == 6
    assert Qualification.objects.filter(since=long_ago).count() == 12


def test_some_ders_leave_the_same_state_as_all(world):
    """R7: a change of two DERs, judged alone with the aggregations they are in, gives what a full pass gives."""
    law("min_aggregation_kw", 10)
    ders = register(world, 6)
    aggregate(world, ders[:4], "energy", "capacity")
    passes.qualify()
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(nameplate_ac_kw=Decimal("0.5"), status="inactive")
        Der.objects.filter(pk=ders[5].pk).update(status="decommissioned")
    passes.qualify(ders=[ders[0].pk, ders[5].pk])
    narrow = state()
    passes.qualify()
    assert narrow == state()
    assert not ders[5].qualifications.exists()
    assert "PQ-AGG-MEMBERS" in {row[2] for row in narrow}


@pytest.mark.django_db(transaction=True)
def test_a_pull_judges_what_changed_since_the_last(world):
    """R7: the pull finds changed DERs and members by the versions written since, whoever wrote them; then nothing is left."""
    ders = register(world, 5)
    aggregation = aggregate(world, ders[:2])
    assert passes.pull().full
    assert passes.pull() is None
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(status="inactive")
    made = passes.pull()
    assert (made.full, made.ders, made.aggregations) == (False, 1, 1)
    with acting(None, REASON):
        AggregationMember.objects.filter(aggregation=aggregation, der=ders[0]).delete()
    made = passes.pull()
    assert (made.full, made.ders, made.aggregations) == (False, 0, 1)
    assert not BrokenRule.objects.of(aggregation).filter(code="PQ-AGG-MEMBERS").exists()
    assert passes.pull() is None
    law("max_der_kw", 1)
    assert passes.pull().full


@pytest.mark.django_db(transaction=True)
def test_a_new_day_is_a_full_pass(world):
    """N13: a row of the law that begins today decides today."""
    register(world, 1)
    passes.pull()
    QualificationPass.objects.update(day=timezone.localdate() - timedelta(days=1))
    assert passes.pull().full


@pytest.mark.django_db(transaction=True)
def test_verdicts_beside_a_pull_leave_its_mark(world):
    """What a decision computes at once does not make the next pull blind to what others changed meanwhile."""
    ders = register(world, 3)
    passes.pull()
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(status="inactive")
    passes.qualify(ders=[ders[1].pk])
    assert passes.pull().ders == 1
    assert not ders[0].qualifications.filter(eligible=True).exists()


def test_a_job_is_asked_for_once(world, django_capture_on_commit_callbacks):
    first = passes.soon()
    assert first.task == passes.TASK and passes.soon() is None
    assert Job.objects.filter(task=passes.TASK).count() == 1


def test_an_eighth_market_is_data(world):
    """N13: a new market, service, participation model, limit and retail programme without a deployment; and it adopts a pack."""
    with acting(None, REASON):
        market = Organization.objects.create(kind="tso", name="Eighth market", slug="eighth")
        inertia = catalogue.draft(actor=None, code="inertia", name="Inertia", level="wholesale")
        catalogue.move(actor=world.user("operator", "administrator"), service=inertia, name="approve")
        UtilityProfile.objects.filter(edc=world.edc).update(tso=market)
    law("pack", "miso", "eighth")
    law("market_services", ["inertia", "energy"], "eighth")
    law("participation_models", {"swarm": "Swarm"}, "eighth")
    law("max_der_kw", 2, "eighth")
    law("retail_conflicts", {"inertia_tariff": ["inertia"]}, "eighth")
    ders = register(world, 3, retail_programs=["inertia_tariff"])
    passes.qualify()
    verdicts = {(row.der_id, row.service_id): row.eligible for row in Qualification.objects.of_ders().filter(market=market)}
    assert verdicts == {
        (ders[0].pk, "energy"): True,
        (ders[1].pk, "energy"): True,
        (ders[2].pk, "energy"): False,
        **{(der.pk, "inertia"): False for der in ders},
    }
    made = aggregate(world, ders[:2], "energy", tso=market, participation_model="dear")
    passes.qualify()
    assert {row.code: row.limit for row in BrokenRule.objects.of(made)} == {"PQ-AGG-SMALL": "100", "PQ-AGG-MODEL": "swarm"}


def test_a_balancing_authority_without_a_market(world):
    """N13: the seventh pack: a bilateral programme, no minimum size, no auction clocks; an aggregation of one small DER qualifies."""
    law("pack", "balancing-authority")
    made = aggregate(world, register(world, 1), "energy", participation_model="bilateral")
    passes.qualify()
    assert Qualification.objects.of(made).get().eligible
    assert {row.service_id for row in Qualification.objects.of_ders()} == {"energy", "capacity", "demand_response"}
