"""The master record through the API: scope, filters, pages, as of, versions, entity tags, moves, the owner."""

from datetime import timedelta

import pytest
from django.utils import timezone

from moc.history import acting
from registry.ders.dictionary import FIELDS
from registry.ders.models import Der
from registry.participants.services import MASK
from tests.factories.ders import own, register
from tests.factories.world import REASON, World

LIST = "/api/v1/registry/ders/"


@pytest.fixture
def ders(world: World) -> list[Der]:
    return register(world, 7)


def test_a_record_has_every_column_of_a_filing_but_the_owner(world, ders, api_of):
    record = api_of(world.user("edc", "viewer")).get(f"{LIST}{ders[1].uuid}/").json()
    assert set(record) >= {name for name, term in FIELDS.items() if not term.personal}
    assert not set(record) & {name for name, term in FIELDS.items() if term.personal}
    assert record["id"] == str(ders[1].uuid)
    assert (record["nameplate_ac_kw"], record["edc"], record["utility_id_eia"]) == (2, "edc", 9726)
    assert record["usage_point_id"] == ders[1].service_point.usage_point_id


def test_each_party_sees_its_own(world, ders, api_of):
    def seen(organization: str, role: str = "viewer") -> int:
        return len(api_of(world.user(organization, role)).get(LIST).json()["results"])

    assert [seen(name) for name in ("aggregator", "edc", "tso", "rerra")] == [7] * 4
    assert [seen(name) for name in ("aggregator2", "edc2", "tso2", "rerra2", "operator")] == [0] * 5
    assert api_of(world.nobody).get(LIST).json()["results"] == []
    hidden = api_of(world.user("edc2", "administrator")).get(f"{LIST}{ders[0].uuid}/")
    assert (hidden.status_code, hidden.json()["code"]) == (404, "NOT-FOUND")


def test_pages_follow_each_other_both_ways(world, ders, api_of):
    api = api_of(world.user("edc", "viewer"))
    first = api.get(f"{LIST}?page_size=3&sort=-nameplate_ac_kw&count=capped").json()
    second = api.get(first["next"]).json()
    third = api.get(second["next"]).json()
    sizes = [record["nameplate_ac_kw"] for page in (first, second, third) for record in page["results"]]
    assert (sizes, first["count"]) == ([7, 6, 5, 4, 3, 2, 1], 7)
    assert (first["previous"], third["next"]) == (None, None)
    assert api.get(third["previous"]).json()["results"] == second["results"]


def test_filters_are_the_portals(world, ders, api_of):
    api = api_of(world.all_seeing())
    assert len(api.get(f"{LIST}?nameplate_ac_kw_min=3&nameplate_ac_kw_max=5&edc=edc").json()["results"]) == 3
    assert api.get(f"{LIST}?q=D-4").json()["results"][0]["external_id"] == "D-4"
    assert api.get(f"{LIST}?edc={world.edc2.pk}").json()["results"] == []


@pytest.mark.parametrize(
    "query", ["statuss=active", "status=nothing", "sort=model", "after=nonsense", "page_size=0", "as_of=2999-01-01", "count=1"]
)
def test_what_is_no_parameter_is_refused(world, api_of, query):
    answer = api_of(world.user("edc", "viewer")).get(f"{LIST}?{query}")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == [query.partition("=")[0]]


def test_as_of_a_moment(world, ders, api_of):
    before = timezone.now()
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(firmware="2.0")
        Der.objects.filter(pk=ders[1].pk).delete()
    api = api_of(world.user("edc", "auditor"))
    then = {"as_of": before.isoformat()}
    assert (len(api.get(LIST).json()["results"]), len(api.get(LIST, then).json()["results"])) == (6, 7)
    one = f"{LIST}{ders[0].uuid}/"
    assert (api.get(one).json()["firmware"], api.get(one, then).json()["firmware"]) == ("2.0", "")
    assert api.get(one, {"as_of": (before - timedelta(days=1)).isoformat()}).status_code == 404


def test_versions_say_who_and_what(world, ders, api_of):
    with acting(world.user("aggregator", "approver"), "New firmware"):
        Der.objects.filter(pk=ders[0].pk).update(firmware="2.0")
    address = f"{LIST}{ders[0].uuid}/versions/"
    newest, first = api_of(world.user("edc", "auditor")).get(address).json()["results"]
    assert newest["changes"] == {"firmware": {"before": "", "after": "2.0"}}
    assert (newest["kind"], newest["reason"], newest["by"]) == ("changed", "New firmware", "Approver of aggregator")
    assert (first["kind"], first["changes"]) == ("created", {})
    assert api_of(world.user("edc", "viewer")).get(address).json()["results"][0]["by"] is None
    page = api_of(world.user("edc", "auditor")).get(f"{address}?page_size=1").json()
    assert page["results"] == [newest]
    assert api_of(world.user("edc", "auditor")).get(page["next"]).json()["results"] == [first]
    assert api_of(world.user("edc2", "auditor")).get(address).status_code == 404


def test_the_tag_is_the_latest_version(world, ders, api_of):
    api = api_of(world.user("edc", "viewer"))
    address = f"{LIST}{ders[0].uuid}/"
    tag = api.get(address)["ETag"]
    latest = api.get(f"{address}versions/").json()["results"][0]["version"]
    assert tag == f'"{latest}"' and latest != str(ders[0].history.latest().history_id)
    unchanged = api.get(address, headers={"If-None-Match": tag})
    assert (unchanged.status_code, unchanged.content) == (304, b"")
    with acting(None, REASON):
        Der.objects.filter(pk=ders[0].pk).update(firmware="2.0")
    assert api.get(address, headers={"If-None-Match": tag}).status_code == 200


def test_the_lifecycle_has_no_door_of_its_own(world, ders, api_of):
    """A DER changes by filings: suspend, reinstate and retire are kinds of submissions/changes/ (¶336)."""
    api = api_of(world.user("aggregator", "approver"))
    assert api.post(f"{LIST}{ders[0].uuid}/transitions/deactivate/", {"reason": "Sold"}, headers={"If-Match": "*"}).status_code == 404
    ders[0].refresh_from_db()
    assert (ders[0].status, ders[0].history.count()) == ("active", 1)


def test_the_owner_is_for_those_who_may_see_personal_data(world, ders, api_of):
    own(world, ders[0])
    address = f"{LIST}{ders[0].uuid}/owner/"
    assert api_of(world.user("edc", "reviewer")).get(address).json()["owner_name"] == MASK
    assert api_of(world.user("edc", "viewer")).get(address).status_code == 404
    assert api_of(world.user("rerra", "auditor")).get(address).status_code == 404
    assert api_of(world.user("edc2", "reviewer")).get(address).status_code == 404


@pytest.mark.parametrize("count", [5, 60])
@pytest.mark.parametrize(("organization", "queries"), [("aggregator", 4), ("edc", 4), ("rerra", 4)])
def test_a_page_costs_the_same_queries_whatever_its_length(world, api_of, django_assert_num_queries, organization, queries, count):
    register(world, count)
    api = api_of(world.user(organization, "auditor"))
    with django_assert_num_queries(queries):
        assert len(api.get(LIST).json()["results"]) == min(count, 50)
