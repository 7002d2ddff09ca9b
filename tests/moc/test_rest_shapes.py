"""What the API sends as one asks: only some fields, or a table (N11)."""

import csv
import io

import pytest

from moc.access.models import Membership
from moc.history import acting
from moc.rest import pages
from tests.factories.ders import register

pytestmark = pytest.mark.django_db
URL = "/api/v1/registry/ders/"
CSV = {"Accept": "text/csv"}


@pytest.fixture
def api(world, api_of):
    return api_of(world.user("aggregator", "viewer"))


def read(response) -> list[dict]:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_only_the_fields_asked_for(world, api):
    ders = register(world, 2)
    page = api.get(f"{URL}?fields=id,model,nameplate_ac_kw").json()
    assert [set(row) for row in page["results"]] == [{"id", "model", "nameplate_ac_kw"}] * 2
    one, whole = api.get(f"{URL}{ders[0].uuid}/?fields=id"), api.get(f"{URL}{ders[0].uuid}/")
    assert one.json() == {"id": str(ders[0].uuid)} and one["ETag"] == whole["ETag"]
    refused = api.get(f"{URL}?fields=id,owner_name")
    assert refused.status_code == 400 and "owner_name" in refused.json()["detail"]


def test_a_list_is_a_table_of_all_its_rows(world, api, monkeypatch):
    """The whole list as filtered, page by page, not only the page that JSON would have."""
    register(world, 5)
    names = list(api.get(URL).json()["results"][0])
    monkeypatch.setattr(pages, "MOST", 2)
    register(world, 2, aggregator="aggregator2", prefix="X")
    rows = read(api.get(f"{URL}?page_size=1&sort=id", headers=CSV))
    assert [row["external_id"] for row in rows] == ["D-1", "D-2", "D-3", "D-4", "D-5"]
    assert list(rows[0]) == names
    narrow = read(api.get(f"{URL}?fields=id,external_id&nameplate_ac_kw_min=4", headers=CSV))
    assert [set(row) for row in narrow] == [{"id", "external_id"}] * 2
    assert read(api.get(f"{URL}?nameplate_ac_kw_min=99", headers=CSV)) == []


def test_formulas_are_neutralised_and_what_is_nested_is_json(world, api):
    register(world, 1, model='=HYPERLINK("x")', limits_by_time=[{"export_kw": 1}])
    (row,) = read(api.get(URL, headers=CSV))
    assert row["model"].startswith("'=") and row["limits_by_time"] == '[{"export_kw": 1}]'


def test_one_record_is_a_table_of_one_row_and_a_refusal_is_a_problem(world, api):
    der = register(world, 1)[0]
    assert [row["id"] for row in read(api.get(f"{URL}{der.uuid}/", headers=CSV))] == [str(der.uuid)]
    assert read(api.get(f"{URL}{der.uuid}/versions/", headers=CSV))[0]["kind"] == "created"
    refused = api.get(f"{URL}?nonsense=1", headers=CSV)
    assert refused.status_code == 400 and refused["Content-Type"].startswith("application/problem+json")
    assert api.get(URL, headers={"Accept": "text/html"}).status_code == 406


def test_a_table_is_for_those_who_may_export(world, api_of):
    register(world, 1)
    with acting(None, "system: test"):
        seat = Membership.objects.get(user=world.machine)
    api = api_of(world.machine)
    assert read(api.get(URL, headers=CSV)) and seat.role == "filer"
    client = seat.client
    client.scopes = ["view_registry"]
    with acting(None, "system: test"):
        client.save(update_fields=["scopes"])
    narrowed = api_of(world.machine)
    assert narrowed.get(URL).status_code == 200 and narrowed.get(URL, headers=CSV).status_code == 403
