"""Markets as data: an eighth invented by changes of the law, and the seventh pack, a balancing authority without a market. R7, N13."""

from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from moc.errors import UserError
from moc.rulesets.law import Law
from moc.rulesets.models import RuleChange, RuleSet
from registry.aggregations.models import Aggregation
from registry.aggregations.services import building, membership
from registry.catalogue.models import GridService
from registry.ders import choices
from registry.ders.models import Der
from registry.jurisdictions.models import RetailProgram
from registry.prequalification.models import Qualification
from registry.prequalification.services import deciding, passes
from registry.submissions.models import StagedDer
from registry.submissions.services import reviewing
from tests.factories.ders import register
from tests.factories.filings import found_in, reviewed, row, staged

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
AUCTION_CLOCKS = ("day_ahead_close", "day_ahead_publish", "rebid_close", "real_time_lock_min")


@pytest.fixture
def lawful(world, client_of):
    """lawful(organization, key, value): drafted in the portal by one person, put in force in the workplace by another."""

    def change(organization: str, key: str, value: str) -> None:
        draft = {"organization": world.organizations[organization].pk, "key": key, "value": value, "source": "-", "starts_on": str(TODAY)}
        drafter = client_of(world.user(organization, "administrator"))
        assert drafter.post(reverse("registry:rule_change_new"), draft).status_code == 302
        made = RuleChange.objects.get(status="draft")
        second = world.user("operator2" if organization == "operator" else "operator", "administrator")
        client_of(second).post(f"/admin/moc/rulechange/{made.pk}/move/schedule/", {"confirmed": "yes", "reason": "Read"})
        made.refresh_from_db()
        assert made.status == "scheduled"

    return change


@pytest.fixture
def newly(settings):
    """Technologies that the law adds are known at once, and forgotten afterwards."""
    settings.TECHNOLOGIES_SECONDS = 0
    yield
    choices._Added.names, choices._Added.storing = {}, ()


def drafted(world, client_of, **facts) -> RetailProgram:
    """Terms of a retail programme, drafted in the workplace."""
    said = {"edc": world.edc.pk, "code": "community_credit", "name": "Community credit", "kind": "other", "tariff": "Rider CC"}
    said |= {"valid_during_0": "2026-01-01", "valid_during_1": "", "reason": "A new tariff"} | facts
    place = "/admin/registry/retailprogram/add/"
    assert client_of(world.user("operator", "administrator")).post(place, said).status_code == 302
    return RetailProgram.objects.latest("pk")


def approved(world, client_of, program: RetailProgram, by: str = "operator2") -> str:
    """The status of a programme once somebody has been asked to put its terms in force."""
    place = f"/admin/registry/retailprogram/{program.pk}/move/approve/"
    client_of(world.user(by, "administrator")).post(place, {"confirmed": "yes", "reason": "Read"})
    program.refresh_from_db()
    return program.status


def test_terms_of_a_programme_hold_once_another_person_approves_them(world, client_of):
    """R5, ¶296: four eyes; later terms take the place of those before, and what holds is not changed."""
    register(world, 1, retail_programs=["community_credit"])
    first = drafted(world, client_of, pays_for="energy")
    assert RetailProgram.objects.in_force(TODAY).count() == 0
    assert [approved(world, client_of, first, by) for by in ("operator", "tso", "edc2", "operator2")] == ["draft"] * 3 + ["in_force"]
    passes.qualify()
    assert dict(Qualification.objects.values_list("service", "eligible"))["energy"] is False
    change = f"/admin/registry/retailprogram/{first.pk}/change/"
    client_of(world.user("operator", "administrator")).post(change, {"name": "Another", "reason": "x"})
    later = drafted(world, client_of, valid_during_0="2026-06-01")
    assert approved(world, client_of, later, "edc") == "in_force", "the utility may say so of its own programme"
    first.refresh_from_db()
    assert (first.name, str(first.valid_during.upper)) == ("Community credit", "2026-06-01")
    overlapping = drafted(world, client_of, valid_during_0="2025-01-01")
    assert approved(world, client_of, overlapping) == "draft"
    passes.qualify()
    assert dict(Qualification.objects.values_list("service", "eligible"))["energy"] is True


def built(world, services: list[str], model: str, ders) -> Aggregation:
    """An aggregation, made and submitted by its aggregator."""
    filer, approver = world.user("aggregator", "filer"), world.user("aggregator", "approver")
    facts = {"name": "Of the new kind", "tso": world.tso, "services": services, "participation_model": model}
    made = building.create(actor=filer, aggregator=world.aggregator, upper_limit_kw=Decimal(100), **facts)
    building.set_factors(actor=filer, aggregation=made, factors={world.tso.pnodes.first(): Decimal(1)})
    membership.add(actor=filer, aggregation=made, ders=ders, terms=membership.Terms(services=tuple(services)), only_good=False)
    building.move(actor=approver, aggregation=made, name="submit")
    made.refresh_from_db()
    return made


def test_an_eighth_market_is_invented_without_a_deployment(world, client_of, lawful, newly):
    """N13: a technology, a service, a participation model, a retail programme and a market's numbers, each approved by a second person."""
    operator = client_of(world.user("operator", "administrator"))
    service = {"code": "ramping", "name": "Ramping", "level": "wholesale", "reason": "A new market"}
    assert operator.post("/admin/registry/gridservice/add/", service).status_code == 302
    confirmed = {"confirmed": "yes", "reason": "A new market"}
    client_of(world.user("operator2", "administrator")).post("/admin/registry/gridservice/ramping/move/approve/", confirmed)
    lawful("operator", "technologies", '{"flow_battery": {"name": "Flow battery", "stores": true}, "tidal": "Tidal turbine"}')
    lawful("tso", "market_services", '["ramping"]')
    lawful("tso", "participation_models", '{"flex": "Flexible resource"}')
    approved(world, client_of, drafted(world, client_of, pays_for="ramping"))
    lawful("tso", "min_aggregation_kw", "20")
    review = reviewed(
        world,
        [
            row(n, der_type="Flow battery", nameplate_ac_kw="12", energy_capacity_kwh="48", retail_programs=named)
            for n, named in enumerate(("", "community_credit", ""), 1)
        ],
    )
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=StagedDer.objects.of_review(review), kind="approve")
    assert set(Der.objects.values_list("der_type", flat=True)) == {"flow_battery"}
    assert Der.objects.first().get_der_type_display() == "Flow battery"
    passes.pull()
    verdicts = dict(Qualification.objects.values_list("der__external_id", "eligible"))
    assert verdicts == {"A-1": True, "A-2": False, "A-3": True}
    made = built(world, ["ramping"], "flex", Der.objects.exclude(external_id="A-2"))
    deciding.register(actor=world.user("tso", "administrator"), aggregation=made, market_id="E-1", effective_on=TODAY)
    made.refresh_from_db()
    assert made.status == "registered"
    page = client_of(world.user("aggregator", "viewer")).get(reverse("registry:der_list"), {"der_type": "flow_battery"})
    assert page.status_code == 200 and "Flow battery" in page.content.decode()


def test_a_new_technology_that_stores_is_asked_for_its_energy(world, lawful, newly):
    """Table 1, N13: the law says of a technology that it stores, and the rules treat it so; of another they do not ask."""
    lawful("operator", "technologies", '{"flow_battery": {"name": "Flow battery", "stores": true}, "tidal": "Tidal turbine"}')
    rows = [
        row(1, der_type="Flow battery"),
        row(2, der_type="flow_battery", energy_capacity_kwh="48"),
        row(3, der_type="Tidal turbine"),
        row(4, der_type="Storage"),
    ]
    found = found_in(staged(world, rows))
    assert sorted(number for number, code in found if code == "DER-STORAGE-ENERGY") == [2, 5], "a header is row 1"
    assert choices.storing()[-1] == "flow_battery" and "tidal" not in choices.storing()


@pytest.mark.parametrize(
    "value",
    ['{"tidal": 1}', '{"tidal": {"stores": true}}', '{"tidal": {"name": "T", "stores": "yes"}}', '{"tidal": {"name": "T", "kw": 1}}'],
)
def test_what_the_law_cannot_say_of_a_technology(world, client_of, value):
    draft = {"organization": world.operator.pk, "key": "technologies", "value": value, "source": "-", "starts_on": str(TODAY)}
    answer = client_of(world.user("operator", "administrator")).post(reverse("registry:rule_change_new"), draft)
    assert answer.status_code == 422 and not RuleChange.objects.exists()


def test_an_unknown_technology_is_a_finding(world):
    """So that the test above can fail."""
    assert "flow_battery" not in dict(choices.technologies())
    with pytest.raises(UserError):
        reviewed(world, [row(1, der_type="Flow battery")])


def test_a_balancing_authority_without_a_market(world, client_of, lawful):
    """N13: it adopts the seventh pack; no auction clock holds, a small bilateral programme is validated, at any node."""
    lawful("tso", "pack", '"balancing-authority"')
    law = Law.on(TODAY)
    assert [law.value(key, "tso") for key in AUCTION_CLOCKS] == [None] * len(AUCTION_CLOCKS)
    assert law.value("min_aggregation_kw", "tso") is None and law.value("min_aggregation_kw", "pjm") == 100
    ders = register(world, 2)
    passes.pull()
    assert set(Qualification.objects.values_list("service_id", flat=True)) == {"energy", "capacity", "demand_response"}
    made = built(world, ["capacity"], "bilateral", Der.objects.filter(pk__in=[der.pk for der in ders]))
    client, own = client_of(world.user("tso", "administrator")), [made.uuid]
    assert made.name in client.get(reverse("registry:validation_list")).content.decode()
    answer = client.post(reverse("registry:aggregation_register", args=own), {"market_id": "BA-1", "effective_on": str(TODAY)})
    assert answer.status_code == 302
    made.refresh_from_db()
    assert (made.status, made.market_id) == ("registered", "BA-1")
    assert GridService.objects.get(pk="capacity").level == "wholesale"
    assert not RuleSet.objects.filter(authority="balancing-authority", key__in=AUCTION_CLOCKS).exists()
