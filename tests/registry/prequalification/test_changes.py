"""A change of the law: drafted, seen beforehand, put in force by another person. N13, R7."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.errors import Conflict, UserError
from moc.rulesets import services as rulesets
from moc.rulesets.models import RuleChange, RuleSet
from registry.prequalification import reports
from registry.prequalification.models import Offer, Qualification
from registry.prequalification.services import passes
from tests.factories.ders import register
from tests.factories.qualification import aggregate, law

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
LATER = TODAY + timedelta(days=30)


def drafted(world, key: str, value, starts_on=LATER, organization: str = "tso", **facts) -> RuleChange:
    return rulesets.draft(
        actor=world.user(organization, "administrator"),
        organization=world.organizations[organization],
        key=key,
        value=value,
        source="An order",
        starts_on=starts_on,
        **facts,
    )


def test_the_preview_says_who_newly_breaks_and_who_newly_passes(world):
    """N13: against the registry of the moment, without changing it; only those whose verdict the change itself moves."""
    law("max_der_kw", 4)
    ders = register(world, 6)
    register(world, 6, prefix="ELSE", edc="edc2")
    passes.qualify()
    before = set(Qualification.objects.values_list("der", "service", "eligible", "since"))
    tighter, looser = drafted(world, "max_der_kw", 2), drafted(world, "max_der_kw", 5)
    assert set(reports.touched(tighter, breaks=True)) == {ders[2], ders[3]}
    assert not reports.touched(tighter, breaks=False).exists()
    assert set(reports.touched(looser, breaks=False)) == {ders[4]}
    assert not reports.touched(looser, breaks=True).exists()
    found = reports.preview(tighter, world.user("tso", "administrator"))
    assert found.ders == {"break": 2, "pass": 0}
    assert found.groups["break"] == {
        "utility": [(world.edc.name, 2)],
        "aggregator": [(world.aggregator.name, 2)],
        "technology": [("Photovoltaic", 2)],
    }
    assert set(Qualification.objects.values_list("der", "service", "eligible", "since")) == before


def test_a_preview_sees_one_more_service_barred(world):
    """N13: a DER that is barred from one service already newly breaks where it is barred from another too."""
    law("retail_conflicts", {"nem": ["energy"]})
    (der,) = register(world, 1, retail_programs=["nem"])
    assert list(reports.touched(drafted(world, "retail_conflicts", {"nem": ["energy", "capacity"]}), breaks=True)) == [der]
    assert not reports.touched(drafted(world, "retail_conflicts", {"nem": ["energy"]}), breaks=True).exists()
    assert list(reports.touched(drafted(world, "retail_conflicts", {}), breaks=False)) == [der]


def test_a_preview_of_a_rule_on_aggregations(world):
    law("min_aggregation_kw", 100)
    made = aggregate(world, register(world, 2, nameplate_ac_kw=Decimal(60)))
    passes.qualify()
    change = drafted(world, "min_aggregation_kw", 150)
    assert [offer.aggregation for offer in reports.touched(change, breaks=True, model=Offer)] == [made]
    found = reports.preview(change, world.user("tso", "administrator"))
    assert [offer.aggregation for offer in found.offers["break"]] == [made] and found.ders == {"break": 0, "pass": 0}


def test_a_preview_of_another_pack_asks_every_rule_that_takes_numbers(world):
    """N13, R7: a market that adopts another market's rows sees whom that would let in, and whom it would bar."""
    law("pack", "pjm")
    small = aggregate(world, register(world, 2), participation_model="dera", lower_limit_kw=0)
    (large,) = register(world, 1, prefix="L", nameplate_ac_kw=Decimal(6000), rated_kva=None)
    passes.qualify()
    change = drafted(world, "pack", "balancing-authority")
    assert small in {offer.aggregation for offer in reports.touched(change, breaks=False, model=Offer)}
    assert list(reports.touched(change, breaks=False)) == [large], "no market, no largest size"
    rules = [rule.code for rule in reports.preview(change, world.user("tso", "administrator")).rules]
    assert {"PQ-DER-LARGE", "PQ-AGG-SMALL", "PQ-AGG-MODEL"} <= set(rules)


def test_a_regulator_previews_its_opt_out(world):
    """¶26–29 of Order 2222-B: the regulator drafts for itself, and every DER of its utilities is asked."""
    (der,) = register(world, 1, der_type="demand_response")
    register(world, 1, prefix="PV")
    register(world, 1, prefix="ELSE", edc="edc2", der_type="demand_response")
    change = drafted(world, "dr_opt_out", True, organization="rerra")
    assert change.authority == "rerra"
    assert list(reports.touched(change, breaks=True)) == [der]


def test_another_person_schedules_and_the_row_before_ends(world):
    """N13: four eyes; the row before ends on the day on which the new one begins."""
    row = law("max_der_kw", 4)
    change = drafted(world, "max_der_kw", 2)
    with pytest.raises(UserError, match="Another person"):
        rulesets.schedule(actor=world.user("tso", "administrator"), change=change)
    made = rulesets.schedule(actor=world.user("operator", "administrator"), change=change)
    row.refresh_from_db()
    change.refresh_from_db()
    assert (row.valid_during.upper, made.valid_during.lower, made.valid_during.upper) == (LATER, LATER, None)
    assert (change.status, change.row) == ("scheduled", made)
    assert RuleSet.objects.value_of("max_der_kw", TODAY, "tso") == 4
    assert RuleSet.objects.value_of("max_der_kw", LATER, "tso") == 2


def test_two_changes_of_one_day_collide(world):
    first, second = drafted(world, "max_der_kw", 2), drafted(world, "max_der_kw", 3)
    actor = world.user("operator", "administrator")
    rulesets.schedule(actor=actor, change=first)
    with pytest.raises(Conflict):
        rulesets.schedule(actor=actor, change=second)


def test_a_withdrawn_change_is_never_in_force(world):
    change = drafted(world, "max_der_kw", 2)
    rulesets.withdraw(actor=world.user("tso", "administrator"), change=change)
    with pytest.raises(Conflict):
        rulesets.schedule(actor=world.user("operator", "administrator"), change=change)
    assert not RuleSet.objects.filter(key="max_der_kw", authority="tso").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("max_der_kw", "much"),
        ("max_der_kw", -1),
        ("max_der_kw", True),
        ("dr_opt_out", "yes"),
        ("location_scope", "somewhere"),
        ("market_services", "energy"),
        ("retail_conflicts", {"nem": "energy"}),
        ("participation_starts", {"*": "soon"}),
        ("day_ahead_close", "25:00"),
        ("pack", ["pjm"]),
    ],
)
def test_a_value_is_of_its_keys_type(world, key, value):
    """N13: rows are typed."""
    with pytest.raises(UserError, match=key):
        drafted(world, key, value)
    assert not RuleChange.objects.exists()


def test_no_change_for_the_past_or_for_others(world):
    with pytest.raises(UserError):
        drafted(world, "max_der_kw", 2, starts_on=TODAY - timedelta(days=1))
    with pytest.raises(UserError):
        drafted(world, "max_der_kw", 2, authority="tso2")
    with pytest.raises(NotPermitted):
        rulesets.schedule(actor=world.user("tso2", "administrator"), change=drafted(world, "max_der_kw", 2))


def test_pages_of_a_change(world, client_of):
    """N13: drafted on a form, previewed with list, chart and export, scheduled by another person; what begins today is judged."""
    register(world, 3)
    client = client_of(world.user("tso", "administrator"))
    body = {"organization": world.tso.pk, "key": "max_der_kw", "value": "2", "starts_on": str(TODAY), "source": "An order"}
    answer = client.post(reverse("registry:rule_change_new"), body)
    change = RuleChange.objects.get()
    assert answer.url == reverse("registry:rule_change", args=[change.uuid])
    page = client.get(answer.url).content.decode()
    assert "1 DER would newly break a rule" in page and "moc-chart" in page
    assert "D-3" in client.get(reverse("registry:rule_change_ders", args=[change.uuid, "break"])).content.decode()
    export = client.get(reverse("registry:rule_change_csv", args=[change.uuid, "break"]))
    assert "D-3" in b"".join(export.streaming_content).decode()
    other = client_of(world.user("operator", "administrator"))
    other.post(reverse("registry:rule_change_transition", args=[change.uuid, "schedule"]))
    change.refresh_from_db()
    assert change.status == "scheduled"
    passes.qualify()
    assert not Qualification.objects.filter(der__external_id="D-3", eligible=True).exists()


def test_the_api_drafts_previews_and_schedules(world, api_of):
    """N11, N13."""
    register(world, 3)
    api = api_of(world.user("tso", "administrator"))
    body = {"organization": "tso", "key": "max_der_kw", "value": 2, "starts_on": str(LATER), "source": "An order"}
    made = api.post("/api/v1/rule-changes/", body)
    assert made.status_code == 201
    found = api.get(f"/api/v1/rule-changes/{made.json()['id']}/preview/").json()
    assert found["rules"] == ["PQ-DER-LARGE"] and found["ders"] == {"break": 1, "pass": 0}
    place = f"/api/v1/rule-changes/{made.json()['id']}/transitions/schedule/"
    tag = {"If-Match": api.get(made["Location"])["ETag"]}
    refused = api.post(place, headers=tag)
    assert refused.status_code in (400, 409, 422) and refused.json()["code"] == "FOUR-EYES"
    assert api_of(world.user("operator", "administrator")).post(place, headers=tag).json()["status"] == "scheduled"
