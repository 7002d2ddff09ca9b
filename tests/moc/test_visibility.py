"""What a regulator hides from a kind of party is nothing at every door, from its day on, and only where it oversees (N3, N12)."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy, visibility
from moc.access.models import Membership, Organization, Oversight, User
from moc.access.visibility import FROM, KEY, groups, tables
from moc.errors import UserError
from moc.help import governance
from moc.history import acting
from moc.reports import reports
from moc.rulesets import services
from moc.rulesets.models import RuleSet
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from registry.participants.models import DerOwner
from registry.prequalification.reports import sights
from tests.factories.ders import register
from tests.factories.personal import registered_owner
from tests.registry.aggregations.making import made

pytestmark = pytest.mark.django_db
SERIAL, MAKER = "SN-HIDDEN-77", "Hiddenmaker"
PLACE = "8 Hidden Lane"


@pytest.fixture
def der(world) -> Der:
    """A DER whose maker was changed since, in the area of the first regulator and of its RTO."""
    (made,) = register(world, 1, manufacturer="Hidden before", serial_no=SERIAL, premise_address=PLACE, telemetry_points=["p"])
    with acting(None, "system: tests"):
        Der.objects.filter(pk=made.pk).update(manufacturer=MAKER)
    return made


def tighten(world, value: dict, regulator: str = "rerra", day=None) -> RuleSet:
    """By two people of a regulator."""
    organization = world.organizations[regulator]
    said = {"key": KEY, "value": value, "source": "Order 1", "starts_on": day or timezone.localdate()}
    change = services.draft(actor=world.user(regulator, "administrator"), organization=organization, **said)
    with acting(None, "system: tests"):
        second = User.objects.create_user(f"second{change.pk}@example.org", "not used", name="Second")
        Membership.objects.create(user=second, organization=organization, role="administrator")
    return services.schedule(actor=second, change=change)


ALL = {
    "ders.equipment": ["tso"],
    "ders.place": ["tso"],
    "ders.communications": ["tso"],
    "ders.metering": ["tso"],
    "ders.protection": ["tso"],
}
DOORS = {
    "list": "/registry/ders/?as_of={moment}",
    "page": "/registry/ders/{der.uuid}/",
    "page as of": "/registry/ders/{der.uuid}/?as_of={moment}",
    "CSV": "/registry/ders/export.csv",
    "CSV as of": "/registry/ders/export.csv?as_of={moment}",
    "API": "/api/v1/registry/ders/",
    "API record": "/api/v1/registry/ders/{der.uuid}/",
    "API versions": "/api/v1/registry/ders/{der.uuid}/versions/",
    "workplace": "/admin/registry/der/",
    "workplace record": "/admin/registry/der/{der.pk}/change/",
    "workplace history": "/admin/registry/der/{der.pk}/history/",
    "workplace as of": "/admin/registry/der/{der.pk}/change/?as_of={moment}",
}
VALUES = (SERIAL, MAKER, "Hidden before", PLACE)


def read(client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode()


@pytest.mark.parametrize("door", DOORS)
def test_no_door_shows_what_is_hidden(world, der, client_of, api_of, door):
    """The RTO's auditor opens every door, and the regulator and the utility go on to see what they saw."""
    moment = (timezone.now() - timedelta(milliseconds=1)).isoformat().replace("+", "%2B")
    open_door = api_of if door.startswith("API") else client_of
    address = DOORS[door].format(der=der, moment=moment)
    before = read(open_door(world.user("tso", "auditor")), address)
    tighten(world, ALL)
    after = read(open_door(User.objects.get(email="auditor@tso.example.org")), address)
    assert [value for value in VALUES if value in after] == [] and ("D-1" in after or "versions" in door)
    assert ("page" not in door and "record" not in door and "CSV" not in door) or any(value in before for value in VALUES)
    still = read(open_door(world.user("rerra", "auditor")), address)
    assert [value for value in VALUES if value in still] == [value for value in VALUES if value in before]


def test_what_is_hidden_is_not_found_out_by_filters_reports_or_copies(world, der, client_of):
    """Not by a search, a filter, an order, a group or a sum; not in XLSX by an action of the workplace either."""
    tighten(world, ALL)
    rto = world.user("tso", "auditor")
    page = read(client_of(rto), f"/registry/ders/?q={SERIAL}")
    assert "D-1" not in page and "D-1" in read(client_of(world.user("edc", "viewer")), f"/registry/ders/?q={SERIAL}")
    spec = {"group": ["manufacturer"], "measures": [{"of": "count"}]}
    rows = {}
    for name in ("tso", "rerra"):
        with sight.seeing(policy.sight_of(world.user(name, "auditor"))):
            rows[name] = [list(row) for row in reports.compute(world.user(name, "auditor"), "ders", spec).rows]
            found = Der.objects.filter(manufacturer=MAKER).count(), list(Der.objects.order_by("manufacturer").values_list("serial_no"))
        assert found == ((0, [(None,)]) if name == "tso" else (1, [(SERIAL,)]))
    assert MAKER in str(rows["rerra"]) and MAKER not in str(rows["tso"])


def test_it_holds_where_its_regulator_oversees_and_from_its_day_on(world, der):
    (other,) = register(world, 1, prefix="E", edc="edc2", aggregator="aggregator2", serial_no="SN-OTHER")
    with acting(None, "system: tests"):
        Oversight.objects.get_or_create(overseer=world.tso, overseen=world.edc2)
    tighten(world, {"ders.equipment": ["tso"]})
    tighten(world, {"ders.place": ["tso"]}, "rerra2", timezone.localdate() + timedelta(days=3))

    def seen() -> dict:
        user = User.objects.get(email="auditor@tso.example.org")
        with sight.seeing(policy.sight_of(user)):
            return dict(Der.objects.values_list("pk", "serial_no"))

    assert seen() == {der.pk: None, other.pk: "SN-OTHER"}
    with acting(None, "system: tests"):
        RuleSet.objects.create(key=KEY, value={"ders.equipment": ["tso"]}, source="x", valid_during=(timezone.localdate(), None))
    assert seen() == {der.pk: None, other.pk: None}
    with sight.engine():
        assert Der.objects.get(pk=der.pk).serial_no == SERIAL


def test_findings_do_not_tell_a_hidden_value(world):
    """The value as given of a hidden column; those of others stay."""
    from tests.factories.filings import reviewed, row  # noqa: PLC0415

    review = reviewed(world, [row(1)])
    finding = {"submission": review.submission, "row": review.submission.rows.get(), "row_number": 1, "code": "X", "severity": "warning"}
    model = review.submission.findings.model
    model.objects.all().delete()
    model.objects.create(column="serial_no", value=SERIAL, **finding)
    model.objects.create(column="model", value="kept?", **finding | {"code": "Y"})
    model.objects.create(column="nameplate_ac_kw", value="7", **finding | {"code": "Z"})
    tighten(world, {"ders.equipment": ["edc"]})
    with sight.seeing(policy.sight_of(world.user("edc", "reviewer"))):
        assert dict(model.objects.values_list("column", "value")) == {"serial_no": None, "model": None, "nameplate_ac_kw": "7"}


def test_a_change_is_previewed_and_governance_tells_of_it(world, der, client_of):
    """Who would lose sight of how many fields of how many records, before another person puts it in force."""
    said = {"key": KEY, "value": {"ders.place": ["tso", "edc"]}, "source": "Order 7", "starts_on": timezone.localdate()}
    actor = world.user("rerra", "administrator")
    change = services.draft(actor=actor, organization=world.rerra, **said)
    lost = {(loss.party, loss.fields, loss.records) for loss in sights(change)["hidden"]}
    assert lost == {(world.tso, 4, 1), (world.edc, 4, 1)} and sights(change)["shown"] == []
    page = read(client_of(actor), reverse("registry:rule_change", args=[change.uuid]))
    assert "Who would no longer see what" in page and str(world.tso) in page
    tighten(world, {"ders.place": ["tso"]})
    assert visibility.preview("rerra", {"ders.place": ["tso"]}, {})["shown"][0].party == world.tso
    shown = read(client_of(world.user("edc", "viewer")), "/help/data-governance/")
    assert f"Hidden from the RTO where rerra oversees since {timezone.localdate()} (Order 1)" in shown


@pytest.mark.parametrize("value", [{"ders.place": ["aggregator"]}, {"ders.nothing": ["tso"]}, {"ders.place": []}, ["tso"], 1])
def test_only_known_groups_are_hidden_and_only_from_readers(world, value):
    with pytest.raises(UserError, match="holds groups of fields"):
        tighten(world, value)


def test_an_rto_hides_nothing_from_others(world):
    with pytest.raises(UserError, match="regulator tightens"):
        tighten(world, {"ders.place": ["edc"]}, "tso")


def test_every_group_names_columns_and_what_may_be_nothing_is_read_as_such():
    """A group is of columns that its tables have; the kinds that may be hidden from are kinds of organisations."""
    for model in tables():
        for group in model.field_groups:
            assert hasattr(model, "hidden_values") or {model._meta.get_field(name).name for name in group.fields} == set(group.fields)
    assert set(FROM) < set(Organization.Kind.values) and len(groups()) == 9
    assert all(group.parties and set(group.parties) <= set(Organization.Kind.values) for group in groups().values())
    assert governance.ABOUT_A_PARTY.keys() >= set(FROM)


def after_tightening(world, value: dict, party: str, role: str):
    """The user of a party, afresh, once a regulator has hidden something."""
    tighten(world, value)
    return User.objects.get(pk=world.user(party, role).pk)


def test_a_regulator_hides_where_service_points_are(world, der, client_of, api_of):
    """From RTO and aggregators, now and in every version; the utility, whose they are, and its regulator see them."""
    with acting(None, "system: tests"):
        ServicePoint.objects.filter(pk=der.service_point_id).update(address="12 Hidden Point Road", zip_code="07799", latitude=40)
    page, api = f"/registry/grid/service-points/{der.service_point_id}/", f"/api/v1/registry/service-points/{der.service_point_id}/"
    assert "12 Hidden Point Road" in read(client_of(world.user("tso", "auditor")), page)
    rto = after_tightening(world, {"service_points.place": ["tso", "aggregator"]}, "tso", "auditor")
    for door in (page, "/registry/grid/service-points/", "/registry/grid/service-points/export.csv", f"{page}?as_of=2099-01-01"):
        shown = read(client_of(rto), door)
        assert "Hidden Point" not in shown and "07799" not in shown, door
    assert api_of(rto).get(api).json()["address"] is None
    assert "Hidden Point" not in read(client_of(rto), f"/admin/registry/servicepoint/{der.service_point_id}/history/")
    for party in ("edc", "rerra"):
        assert "12 Hidden Point Road" in read(client_of(world.user(party, "auditor")), page)
    with sight.seeing(policy.sight_of(User.objects.get(pk=world.user("aggregator", "filer").pk))):
        assert ServicePoint.objects.filter(zip_code="07799").count() == 0
        assert set(ServicePoint.objects.filter(pk=der.service_point_id).values_list("address", "latitude")) == {(None, None)}
    losses = visibility.preview("rerra", {}, {"service_points.place": ["tso", "aggregator"]})["hidden"]
    points = ServicePoint.objects.filter(edc=world.edc).count()
    assert {(loss.party, loss.records) for loss in losses} == {(world.tso, points), (world.aggregator, 1)}


def test_a_regulator_hides_what_the_aggregators_that_it_registers_state_of_performance(world, client_of, api_of):
    """By the regulator of the aggregator, who oversees no aggregator; of another regulator's aggregators it hides nothing."""
    made_ = {}
    for key in ("aggregator", "aggregator2"):
        made_[key] = made(world, key, aggregator=key, ders=register(world, 1, prefix=key, aggregator=key))
        with acting(None, "system: tests"):
            type(made_[key]).objects.filter(pk=made_[key].pk).update(upper_limit_kw=4321, stated_kw=4321, status="submitted")
    rto = after_tightening(world, {"aggregations.performance": ["tso"]}, "tso", "auditor")
    api = "/api/v1/registry/aggregations/"
    found = {each["name"]: each["upper_limit_kw"] for each in api_of(rto).get(api).json()["results"]}
    assert list(found.values()).count(None) == 1 and len(found) <= 2
    hidden, shown = made_["aggregator"], made_["aggregator2"]
    assert api_of(rto).get(f"{api}{hidden.uuid}/").json()["upper_limit_kw"] is None
    assert api_of(rto).get(f"{api}{shown.uuid}/").json()["upper_limit_kw"] == 4321
    assert read(client_of(rto), f"/registry/aggregations/{hidden.uuid}/")
    assert api_of(world.user("aggregator", "auditor")).get(f"{api}{hidden.uuid}/").json()["upper_limit_kw"] == 4321
    losses = visibility.preview("rerra", {}, {"aggregations.performance": ["tso"]})["hidden"]
    assert [(loss.party, loss.fields, loss.records) for loss in losses] == [(world.tso, 5, 1)]


def test_a_regulator_hides_owners_from_their_utility(world, client_of, api_of):
    """Masked as if nothing were given, and nothing is opened; the aggregator that filed them goes on to see them, and filing goes on."""
    owner = registered_owner(world.aggregator, world.edc, edc_account_no="A-1", owner_name="Ann Hidden")
    (der,) = register(world, 1, owner=owner)
    reveal = f"/api/v1/registry/ders/{der.uuid}/owner/reveal/"
    reviewer = world.user("edc", "reviewer")
    assert api_of(reviewer).post(reveal, {"purpose": "account"}).json()["owner_name"] == "Ann Hidden"
    assert "••" in read(client_of(reviewer), f"/registry/ders/{der.uuid}/")
    reviewer = after_tightening(world, {"owners.personal": ["edc"]}, "edc", "reviewer")
    refused = api_of(reviewer).post(reveal, {"purpose": "account"})
    assert (refused.status_code, refused.json()["code"]) == (422, "ERASED") and "Ann" not in refused.content.decode()
    assert "••" not in read(client_of(reviewer), f"/registry/ders/{der.uuid}/")
    mine = api_of(world.user("aggregator", "filer")).post(reveal, {"purpose": "account"})
    assert mine.json()["owner_name"] == "Ann Hidden"
    losses = visibility.preview("rerra", {}, {"owners.personal": ["edc"]})["hidden"]
    assert [(loss.party, loss.records) for loss in losses] == [(world.edc, 1)]
    with sight.seeing(policy.sight_of(reviewer)):
        assert DerOwner.objects.get(pk=owner.pk).sealed is None
    with sight.engine():
        assert bytes(DerOwner.objects.get(pk=owner.pk).sealed)


@pytest.mark.parametrize(
    "value", [{"service_points.place": ["edc"]}, {"owners.personal": ["aggregator"]}, {"aggregations.performance": ["rerra"]}]
)
def test_nothing_is_hidden_from_whose_it_is(world, value):
    with pytest.raises(UserError, match="not from whose they are"):
        tighten(world, value)
