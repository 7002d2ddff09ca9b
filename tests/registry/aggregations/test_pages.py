"""Pages and API of aggregations: R4, N11. Who sees what; a draft from its form to its members; the same by program."""

import pytest

from moc.jobs.models import Job
from registry.aggregations import tasks
from registry.aggregations.models import Aggregation
from tests.factories.ders import register
from tests.factories.filings import store_in, upload
from tests.registry.aggregations.making import filed, made

pytestmark = pytest.mark.django_db
BASE, API = "/registry/aggregations/", "/api/v1/registry/aggregations/"
QUERIES = {"list": 11, "detail": 18, "members": 13}


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)


def test_from_the_form_to_the_members(world, client_of):
    """A draft by form, members by filter, then one dropped by list: as a person does it."""
    register(world, 3)
    client = client_of(world.user("aggregator", "filer"))
    given = {"name": "Shore", "purpose": "wholesale", "tso": world.tso.pk, "services": ["energy"], "upper_limit_kw": "6"}
    answer = client.post(f"{BASE}new/", given)
    aggregation = Aggregation.objects.get()
    assert answer["Location"] == f"{BASE}{aggregation.uuid}/"
    chosen = {"how": "filter", "der_type": "photovoltaic", "nameplate_ac_kw_min": "2"}
    assert client.post(f"{BASE}{aggregation.uuid}/members/add/", chosen).status_code == 302
    assert client.post(f"{BASE}{aggregation.uuid}/members/drop/", {"how": "list", "ders": "D-2"}).status_code == 302
    page = client.get(f"{BASE}{aggregation.uuid}/members/")
    assert [row.cells[0][1] for row in page.context["table"].rows] == ["D-3"]
    assert "1" in client.get(f"{BASE}{aggregation.uuid}/composition/").content.decode()
    aggregation.refresh_from_db()
    assert aggregation.restate_since
    assert b"stated again" in client.get(f"{BASE}{aggregation.uuid}/").content


def test_errors_are_told_on_the_form(world, client_of):
    client, aggregation = client_of(world.user("aggregator", "filer")), made(world)
    answer = client.post(f"{BASE}{aggregation.uuid}/members/add/", {"how": "list", "ders": "D-77"})
    assert answer.status_code == 422 and "MEMBER-DER" in answer.content.decode() and "D-77" in answer.content.decode()
    assert client.post(f"{BASE}{aggregation.uuid}/members/add/", {"how": "list"}).status_code == 422
    assert client.post(f"{BASE}{aggregation.uuid}/factors/", {"factors": "NOWHERE; 1"}).status_code == 422
    assert client.post(f"{BASE}{aggregation.uuid}/factors/", {"factors": "EDC ZONE; 0.9"}).status_code == 422
    page = f"{BASE}{aggregation.uuid}/factors/"
    seen = client.get(page).context["opened_version"]
    assert client.post(page, {"factors": "EDC ZONE; 1"}).status_code == 302
    late = client.post(page, {"factors": "EDC ZONE; 1", "opened_version": seen})
    assert late.status_code == 422 and [(now, was) for _, now, was in late.context["overtaken"]] == [("1", None)]


def test_a_file_is_followed_to_its_end(world, client_of):
    register(world, 2)
    client, aggregation = client_of(world.user("aggregator", "filer")), made(world)
    sent = {"file": upload(b"der\nD-1\nD-9\n", "members.csv"), "act": "add", "rows": "all"}
    place = client.post(f"{BASE}{aggregation.uuid}/members/file/", sent)["Location"]
    assert b"Adding members" in client.get(place).content
    tasks.load(Job.objects.get().pk)
    page = client.get(place).content.decode()
    assert "Nothing was changed" in page and "MEMBER-DER" in page and not aggregation.members.exists()
    assert client.get(f"{place}progress/")["HX-Refresh"] == "true"


def test_who_sees_a_draft_and_a_filed_one(world, api_of):
    """A draft is its aggregator's; filed, it is open to RTO, agents, utilities of members and who oversees them, and to no others."""
    aggregation = made(world, dispatch_agent=world.aggregator2, ders=register(world, 1))
    everybody = ("aggregator", "aggregator2", "edc", "tso", "rerra", "edc2", "tso2", "rerra2", "operator")

    def see() -> list[str]:
        return [name for name in everybody if api_of(world.user(name, "viewer")).get(API).json()["results"]]

    assert see() == ["aggregator"]
    filed(world, aggregation)
    assert see() == ["aggregator", "aggregator2", "edc", "tso", "rerra"]
    members = api_of(world.user("aggregator2", "viewer")).get(f"{API}{aggregation.uuid}/members/").json()["results"]
    assert [member["external_id"] for member in members] == ["D-1"], "an agent sees the members, not the DERs' records"


def test_a_utility_sees_the_members_on_its_grid(world, api_of, client_of):
    ders = [*register(world, 2), *register(world, 1, edc="edc2", prefix="E")]
    aggregation = filed(world, made(world, ders=ders))
    seen = api_of(world.user("edc2", "viewer")).get(f"{API}{aggregation.uuid}/members/").json()["results"]
    assert [member["external_id"] for member in seen] == ["E-1"]
    page = client_of(world.user("edc2", "viewer")).get(f"{BASE}{aggregation.uuid}/members/")
    assert [row.cells[0][1] for row in page.context["table"].rows] == ["E-1"]
    parts = api_of(world.user("edc2", "viewer")).get(f"{API}{aggregation.uuid}/composition/").json()
    assert [(part["utility"], part["kw"]) for part in parts] == [(str(world.edc2), 1)]


def test_by_program(world, api_of):
    """The journey of the pages through the API, with the same codes and entity tags."""
    register(world, 3)
    api = api_of(world.user("aggregator", "administrator"))
    made_ = api.post(
        API, {"name": "Shore", "tso": "tso", "services": ["energy"], "td_interface": "TD1", "meter_reader": "edc"}, format="json"
    )
    assert made_.status_code == 201 and made_.json()["meter_reader"] == "edc"
    one = f"{API}{made_.json()['id']}/"
    told = api.post(f"{one}members/", {"filter": {"nameplate_ac_kw_max": "2"}, "share_percent": "50"}, format="json").json()
    assert (told["rows"], told["changed"]) == (2, 2)
    refused = api.post(f"{one}members/", {"ders": ["D-1", "D-3"]}, format="json")
    assert (refused.status_code, refused.json()["code"], refused.json()["errors"][0]["code"]) == (422, "MEMBERS-REFUSED", "MEMBER-ALREADY")
    assert api.post(f"{one}members/", {"filter": {"colour": "red"}}, format="json").status_code == 400
    assert api.post(f"{one}members/drop/", {"ders": ["D-1"]}, format="json").json()["changed"] == 1
    stated, read = {"factors": {"EDC ZONE": "1"}}, api.get(f"{one}factors/")["ETag"]
    assert api.post(f"{one}factors/", stated, format="json").status_code == 428
    assert api.post(f"{one}factors/", stated, format="json", HTTP_IF_MATCH=read).json()[0]["node"] == "EDC ZONE"
    late = api.post(f"{one}factors/", stated, format="json", HTTP_IF_MATCH=read)
    assert late.status_code == 412 and late.json()["current"][0]["factor"] == 1 and late["ETag"] == api.get(f"{one}factors/")["ETag"]
    assert api.patch(one, {"upper_limit_kw": "1"}, format="json").status_code == 428
    changed = api.patch(one, {"upper_limit_kw": "1"}, format="json", HTTP_IF_MATCH=api.get(one)["ETag"]).json()
    assert (changed["upper_limit_kw"], changed["stated_kw"]) == (1, 2)
    assert api.post(f"{one}transitions/submit/", {}, format="json", HTTP_IF_MATCH="*").json()["status"] == "submitted"
    wrong = api.post(API, {"name": "Shore", "tso": "tso", "services": ["alchemy"]}, format="json")
    assert wrong.status_code == 400 and wrong.json()["errors"][0]["field"] == "services"


@pytest.mark.parametrize(("page", "path"), [("list", ""), ("detail", "{}/"), ("members", "{}/members/")])
def test_queries_of_pages(world, client_of, django_assert_max_num_queries, page, path):
    """However many members: the statements of a page are pinned."""
    aggregation = filed(world, made(world, ders=register(world, 60)))
    client = client_of(world.user("aggregator", "viewer"))
    with django_assert_max_num_queries(QUERIES[page]):
        assert client.get(f"{BASE}{path.format(aggregation.uuid)}").status_code == 200
