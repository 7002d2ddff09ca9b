"""What leaves the platform is in the access log: who, what, as filtered, as of when, how many rows, and whether to its end (N12)."""

import re
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from django.core.files.base import ContentFile
from django.test import AsyncClient
from django.utils import timezone

from moc import exports
from moc.accesslog.models import ExportEntry
from moc.bulk import copy_out
from moc.documents import services as documents
from moc.documents.models import Document
from moc.portal.streaming import Tally, streamed
from tests.factories.ders import register
from tests.factories.filings import store_in

pytestmark = pytest.mark.django_db
CSV, XLSX, LOG = "/registry/ders/export.csv", "/registry/ders/export.xlsx", "/access-log/exports/"
PUBLIC = {"moc/public/views.py", "moc/seals/views.py"}
LIVE = {"operations/coordination/views.py", "operations/envelopes/api.py"}  # events of a page or program that listens: no file


def entry() -> ExportEntry:
    return ExportEntry.objects.get()


def test_a_csv_is_entered_when_it_has_been_sent(world, client_of):
    register(world, 3)
    moment = timezone.now().isoformat()
    response = client_of(world.user("edc", "viewer")).get(CSV, {"as_of": moment, "status": "active", "after": ""})
    assert not ExportEntry.objects.exists()
    b"".join(response.streaming_content)
    found = entry()
    assert (found.actor, found.organization, found.what, found.format) == (world.user("edc", "viewer"), world.edc, "DERs", "csv")
    assert (found.row_count, found.complete, found.address, found.as_of.isoformat()) == (3, True, CSV, moment)
    assert found.filters == {"as_of": moment, "status": "active"}


def test_a_stream_that_breaks_off_says_so(world, rf, monkeypatch):
    """The reader hung up after the first block: what was made until then is counted."""
    register(world, 3)
    monkeypatch.setattr(exports, "BLOCK", 1)
    heard = []
    tally = Tally("DERs", "csv", then=heard.append)
    rows = type(register(world, 1, prefix="X")[0]).objects.all()
    stream = streamed(rf.get("/"), exports.csv_of(rows, {"id": "external_id"}, tally), tally)
    next(stream), next(stream)
    stream.close()
    assert [(each.rows, each.complete) for each in heard] == [(1, False)]
    assert len(list(copy_out(rows.values_list("pk")))) == 4  # the connection is free again


@pytest.mark.django_db(transaction=True)
def test_a_csv_under_asgi_is_entered_in_the_thread_of_the_connection(world):
    register(world, 2)
    client = AsyncClient()
    client.force_login(world.user("edc", "viewer"))

    async def fetch() -> None:
        response = await client.get(CSV)
        assert b"".join([block async for block in response.streaming_content])
        response.close()

    async_to_sync(fetch)()
    assert (entry().row_count, entry().complete) == (2, True)


def test_workbooks_api_lists_and_lists_of_the_workplace_are_entered(world, client_of, api_of):
    """Each door by one way."""
    ders = register(world, 2)
    client = client_of(world.user("edc", "administrator"))
    client.get(XLSX)
    api = api_of(world.user("edc", "viewer"))
    b"".join(api.get("/api/v1/registry/ders/?status=active", headers={"Accept": "text/csv"}).streaming_content)
    for action in ("export_csv", "export_pdf"):
        response = client.post("/admin/registry/der/", {"action": action, "_selected_action": [der.pk for der in ders]})
        b"".join(response.streaming_content) if response.streaming else response.content
    found = list(ExportEntry.objects.order_by("pk").values_list("what", "format", "row_count"))
    assert found == [("DERs", "xlsx", 2), ("API: DERs", "csv", 2), ("DERs", "csv", 2), ("DERs", "pdf", 2)]


def test_a_file_that_is_opened_is_entered_with_whose_it_is(world, client_of, settings, tmp_path):
    store_in(settings, tmp_path)
    actor = world.user("edc", "reviewer")
    upload = ContentFile(b"%PDF-1.7 study", name="study.pdf")
    document = documents.store(actor=actor, owner=world.edc, kind=Document.Kind.EVIDENCE, upload=upload, counterparty=world.aggregator)
    b"".join(client_of(world.user("aggregator", "viewer")).get(f"/documents/{document.uuid}/").streaming_content)
    found = entry()
    assert (found.what, found.organization, found.holder, found.row_count) == ("Evidence: study.pdf", world.aggregator, world.edc, None)


def test_who_reads_the_log_of_exports(world, client_of):
    """The organization's own administrator, whose file it was, and their regulator; nobody else."""
    register(world, 1)
    b"".join(client_of(world.user("edc", "viewer")).get(CSV, {"status": "active"}).streaming_content)
    for user in (world.user("edc", "administrator"), world.user("rerra", "auditor")):
        page = client_of(user).get(LOG).content.decode()
        assert "viewer@edc.example.org" in page and "status: active" in page
        assert "Viewer of edc" in client_of(user).get("/admin/moc/exportentry/").content.decode()
    for user in (world.user("edc2", "administrator"), world.user("aggregator", "administrator")):
        assert "viewer@edc.example.org" not in client_of(user).get(LOG).content.decode()
    assert client_of(world.user("edc", "viewer")).get(LOG).status_code == 404


def test_every_view_that_hands_out_a_file_is_tallied():
    """A view with a new kind of file says so; what is public for everybody is counted for nobody."""
    root = Path(exports.__file__).parent.parent
    handing = re.compile(r"\b(StreamingHttpResponse|FileResponse)\(")
    files = {
        str(path.relative_to(root)): path.read_text()
        for each in ("moc", "registry", "operations", "settlement")
        for path in (root / each).rglob("*.py")
    }
    found = {
        name: len(handing.findall(text)) - text.count("response.tally = tally") for name, text in files.items() if handing.search(text)
    }
    assert {name for name, untold in found.items() if untold > 0} == PUBLIC | LIVE
