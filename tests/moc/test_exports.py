"""Exports: everything in the list and nothing else, formulas as text, long workbooks by job."""

import csv
import io
from decimal import Decimal

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone
from python_calamine import CalamineWorkbook

from moc import exports, sheets
from moc.documents.models import Document
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from registry.ders.models import Der
from tests.factories.ders import register

pytestmark = pytest.mark.django_db
CSV, XLSX = "/registry/ders/export.csv", "/registry/ders/export.xlsx"


def rows_of(content: bytes) -> list[dict]:
    text = content.decode()
    assert text.startswith(sheets.BOM)
    return list(csv.DictReader(io.StringIO(text.removeprefix(sheets.BOM))))


def csv_rows(client, query: str = "") -> list[dict]:
    response = client.get(f"{CSV}?{query}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return rows_of(b"".join(response.streaming_content))


def test_csv_has_the_filtered_list_within_scope(world, client_of):
    register(world, 3, retail_programs=["nem", "cs"], comms_endpoint="https://x")
    register(world, 1, prefix="E", edc="edc2", aggregator="aggregator2")
    client = client_of(world.user("edc", "viewer"))
    assert {row["external_id"] for row in csv_rows(client)} == {"D-1", "D-2", "D-3"}
    (row,) = csv_rows(client, "nameplate_ac_kw_min=3")
    assert (row["utility_id_eia"], row["retail_programs"], row["nameplate_ac_kw"]) == ("9726", "nem;cs", "3.000")
    assert row["aggregator"] == str(world.aggregator) and row["usage_point_id"].startswith("edc-up-")
    assert "owner_name" not in row


HOSTILE = ["=1+1", "+SUM(A1)", "-2+3", "@cmd", "\tx", "=", "-", "'=1", "-74.5", "+1e5", "plain", "", "ümlaut", "a\n=b", 'x","=1']


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_neutralises_as_the_sheets_do(world, client_of, text):
    register(world, 1, manufacturer=text)
    (row,) = csv_rows(client_of(world.user("edc", "viewer")))
    assert row["manufacturer"] == sheets.neutralise(text)


def test_an_array_cannot_smuggle_a_formula(world, client_of):
    register(world, 1, telemetry_points=["=1+1", "x"])
    (row,) = csv_rows(client_of(world.user("edc", "viewer")))
    assert row["telemetry_points"] == "'=1+1;x"


def test_csv_as_of_a_moment(world, client_of):
    (der,) = register(world, 1)
    before = timezone.now()
    with acting(None, "system: tests"):
        Der.objects.filter(pk=der.pk).update(nameplate_ac_kw=Decimal(7))
    client = client_of(world.user("rerra", "auditor"))
    assert csv_rows(client)[0]["nameplate_ac_kw"] == "7.000"
    assert csv_rows(client, f"as_of={before.isoformat().replace('+', '%2B')}")[0]["nameplate_ac_kw"] == "1.000"
    assert "as-of" in client.get(f"{CSV}?as_of={before.isoformat().replace('+', '%2B')}")["Content-Disposition"]


def test_who_reaches_nothing_exports_nothing(world, client_of):
    assert client_of(world.nobody).get(CSV).status_code == 404
    assert client_of(world.nobody).get(XLSX).status_code == 404


def sheet(content: bytes) -> list[list]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def test_a_short_workbook_comes_at_once(world, client_of):
    register(world, 2, manufacturer="=1+1")
    response = client_of(world.user("edc", "viewer")).get(f"{XLSX}?sort=nameplate_ac_kw")
    header, *rows = sheet(b"".join(response.streaming_content))
    place = header.index("manufacturer")
    assert len(rows) == 2 and "=1+1" in rows[0][place]


def test_a_long_workbook_comes_to_the_inbox(world, client_of, monkeypatch, django_capture_on_commit_callbacks):
    register(world, 3)
    monkeypatch.setattr(exports, "XLSX_AT_ONCE", 2)
    client = client_of(world.user("edc", "viewer"))
    offered = client.get(f"{XLSX}?nameplate_ac_kw_min=1")
    assert offered.status_code == 200 and b"Write it" in offered.content and not Job.objects.exists()
    response = client.post(f"{XLSX}?nameplate_ac_kw_min=1")
    job = Job.objects.get()
    assert response.status_code == 302 and response.url == f"/jobs/{job.uuid}/"
    monkeypatch.setattr("moc.jobs.services.Progress.__call__", lambda *args, **kwargs: None)
    exports.deliver_xlsx(job.pk)
    job.refresh_from_db()
    assert (job.status, job.outcome["rows"]) == ("done", 3), job.error
    notice, document = Notice.objects.get(), Document.objects.get()
    assert notice.user == job.user and document.owner == world.edc
    content = b"".join(client.get(notice.url).streaming_content)
    assert len(sheet(content)) == 4
    for other in (world.user("edc2", "viewer"), world.user("edc", "administrator"), world.user("operator", "auditor")):
        assert client_of(other).get(notice.url).status_code == 404  # it reaches as far as whoever had it made
    assert client.get(response.url).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_csv_streams_under_asgi(world):
    register(world, 2)
    client = AsyncClient()
    client.force_login(world.user("edc", "viewer"))

    async def fetch() -> bytes:
        response = await client.get(CSV)
        return b"".join([block async for block in response.streaming_content])

    assert len(rows_of(async_to_sync(fetch)())) == 2
