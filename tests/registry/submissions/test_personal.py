"""Owners from a file to the record: ciphertext at rest, masked, shown for a purpose and logged, erased for good (N12)."""

import io
import json
from pathlib import Path

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection

from moc.accesslog.models import AccessEntry
from moc.documents import services as documents
from moc.errors import Conflict
from moc.history import acting
from moc.vault.models import DataKey, SubjectKey
from registry.ders.models import Der
from registry.participants.models import DerOwner
from registry.participants.services import MASK, open_all, opened
from registry.submissions.personal import StagedOwner
from registry.submissions.services import erasing, reviewing
from tests.factories.filings import reviewed, row, staged, store_in

pytestmark = pytest.mark.django_db
PLANTED = {
    "edc_account_no": "ACCT-7781-PLANT",
    "owner_name": "Zaphod Plantvalue",
    "owner_email": "zaphod@plant.example",
    "owner_phone": "555-0777",
}
READERS = (("aggregator", "administrator"), ("aggregator", "viewer"), ("edc", "reviewer"), ("edc", "auditor"), ("rerra", "auditor"))


@pytest.fixture(autouse=True)
def files(settings, tmp_path) -> Path:
    store_in(settings, tmp_path)
    return tmp_path


def registered(world) -> Der:
    """Two filed and approved customers; the first has the planted values."""
    review = reviewed(world, [row(1, **PLANTED), row(2)])
    reviewing.decide(actor=world.user("edc", "reviewer"), review=review, rows=review.submission.rows.all(), kind="approve")
    return Der.objects.get(external_id="A-1")


def at_rest(folder: Path) -> str:
    """Every row of every table as text, with its bytes in hexadecimal, and all files."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')
            found += [text for (text,) in cursor.fetchall()]
    found += [path.read_bytes().hex() for path in folder.rglob("*") if path.is_file()]
    return "\n".join(found)


def planted_in(text: str) -> list[str]:
    return [value for value in PLANTED.values() if value in text or value.encode().hex() in text]


def test_no_table_and_no_file_holds_a_plain_value(world, files):
    der = registered(world)
    assert opened(der.owner) == PLANTED
    text = at_rest(files)
    assert "SN-1" in text and row(1)["serial_no"].encode().hex() not in text  # the search sees rows; the stored file is noise
    assert planted_in(text) == []


def test_erasing_leaves_the_record_and_nobody_behind_it(world, files):
    """In the registry, in history, in the filing and in the file; another customer stays readable."""
    der = registered(world)
    document = StagedOwner.objects.get(row__external_id="A-1").row.submission.document
    versions = list(DerOwner.history.model.objects.filter(id=der.owner_id))
    subjects = {der.owner.subject, *(version.subject for version in versions)}
    erasing.erase_owner(actor=world.user("edc", "administrator"), owner=der.owner, reason="Asked for it")
    der.refresh_from_db()
    assert (der.status, der.owner.erased_at is not None, open_all([der.owner])) == ("active", True, [None])
    assert not SubjectKey.objects.filter(pk__in=subjects).exists()
    with connection.cursor() as cursor:  # what history keeps is ciphertext without a key
        cursor.execute("SELECT sealed FROM registry_historicalderowner WHERE id = %s AND sealed <> ''", [der.owner_id])
        assert [bytes(sealed) for (sealed,) in cursor.fetchall()] == [bytes(version.sealed) for version in versions]
        cursor.execute("SELECT count(*) FROM registry_stagedowner WHERE account_index IS NULL AND sealed = '' AND subject IS NULL")
        assert cursor.fetchone() == (1,)
    with pytest.raises(documents.Destroyed):
        documents.plain(document)
    assert opened(Der.objects.get(external_id="A-2").owner)["owner_name"] == "Owner 2"
    assert planted_in(at_rest(files)) == []
    with pytest.raises(Conflict):
        erasing.erase_owner(actor=world.user("edc", "administrator"), owner=der.owner, reason="Again")
    assert AccessEntry.objects.filter(purpose="erasure", holder=world.edc).count() == 1


def test_the_utility_erases_by_the_api(world, api_of):
    """N12: the owner is gone for everybody; others, and whoever cannot see the DER, change nothing."""
    der = registered(world)
    url = f"/api/v1/registry/ders/{der.uuid}/owner/erase/"
    for who in (("edc", "approver"), ("aggregator", "administrator"), ("edc2", "administrator")):
        assert api_of(world.user(*who)).post(url, {"reason": "No"}, format="json").status_code in {403, 404}
    administrator = api_of(world.user("edc", "administrator"))
    assert administrator.post(url, {}, format="json").json()["errors"][0]["field"] == "reason"
    assert opened(DerOwner.objects.get(pk=der.owner_id)) == PLANTED
    assert administrator.post(url, {"reason": "Asked for it"}, format="json").status_code == 204
    assert open_all([DerOwner.objects.get(pk=der.owner_id)]) == [None]
    assert administrator.post(url, {"reason": "Again"}, format="json").status_code == 409


def test_only_the_utility_erases(world, client_of):
    der = registered(world)
    url = f"/registry/ders/{der.uuid}/owner/erase/"
    for who in (("edc", "reviewer"), ("aggregator", "administrator"), ("edc2", "administrator")):
        assert client_of(world.user(*who)).post(url, {"reason": "No", "sure": "on"}).status_code in {403, 404}
    assert opened(DerOwner.objects.get(pk=der.owner_id)) == PLANTED
    administrator = client_of(world.user("edc", "administrator"))
    assert administrator.post(url, {"reason": "Yes"}).status_code == 422
    assert administrator.post(url, {"reason": "Yes", "sure": "on"}).status_code == 302
    assert "erased" in administrator.get(f"/registry/ders/{der.uuid}/").content.decode()


def test_a_customer_is_shown_for_a_purpose_and_the_look_is_logged(world, client_of, api_of):
    der = registered(world)
    reviewer, url = client_of(world.user("edc", "reviewer")), f"/registry/ders/{der.uuid}/owner/"
    assert planted_in(reviewer.get(url).content.decode()) == []
    refused = reviewer.post(url, {"purpose": ""})
    assert (refused.status_code, planted_in(refused.content.decode()), AccessEntry.objects.count()) == (422, [], 0)
    shown = reviewer.post(url, {"purpose": "account", "note": "Case 7"})
    assert planted_in(shown.content.decode()) == list(PLANTED.values()) and shown["Cache-Control"] == "no-store"
    entry = AccessEntry.objects.get()
    assert (entry.actor, entry.holder, entry.filed_by) == (world.user("edc", "reviewer"), world.edc, world.aggregator)
    assert (entry.purpose, entry.note, entry.columns) == ("account", "Case 7", list(PLANTED))
    address = f"/api/v1/registry/ders/{der.uuid}/owner/reveal/"
    answer = api_of(world.user("aggregator", "filer")).post(address, {"purpose": "mend"})
    assert (answer.json(), answer["Cache-Control"], AccessEntry.objects.count()) == (PLANTED, "no-store", 2)
    assert api_of(world.user("rerra", "auditor")).post(address, {"purpose": "legal"}).status_code == 404
    log = client_of(world.user("rerra", "auditor")).get("/access-log/").content.decode()
    assert "reviewer@edc.example.org" in log and planted_in(log) == []
    assert "reviewer@edc.example.org" not in client_of(world.user("rerra2", "administrator")).get("/access-log/").content.decode()


def test_the_access_log_is_only_added_to(world):
    registered(world)
    with pytest.raises(Exception, match="sealed|refused|denied|permission"), acting(None, "system: tests"):
        AccessEntry.objects.create(holder=world.edc, record="x", columns=[], purpose="legal")
        AccessEntry.objects.update(note="changed")


def test_nothing_that_leaves_the_platform_names_a_customer(world, client_of, api_of, caplog, files):
    """Pages, spreadsheets, findings, errors, jobs, notices, e-mails and logs of every reader, and what a browser may keep."""
    der = registered(world)
    draft = staged(world, [row(3, **PLANTED, nameplate_ac_kw="seven"), row(4, **PLANTED | {"edc_account_no": "ACCT-7781-PLANT" * 4})])
    filed = StagedOwner.objects.get(row__external_id="A-1").row
    paths = [
        "/", "/jobs/", "/notices/", "/registry/ders/", f"/registry/ders/{der.uuid}/", f"/registry/ders/{der.uuid}/certificate.pdf",
        "/registry/ders/export.csv", "/registry/ders/export.xlsx", f"/registry/submissions/{filed.submission.uuid}/",
        f"/registry/submissions/{filed.submission.uuid}/rows/{filed.row_number}/", f"/registry/submissions/{draft.uuid}/",
        f"/registry/submissions/{draft.uuid}/rows/", f"/registry/submissions/{draft.uuid}/rows/2/owner/",
        f"/registry/reviews/{filed.submission.reviews.get().uuid}/rows.csv", f"/admin/registry/derowner/{der.owner_id}/change/",
        f"/admin/registry/derowner/{der.owner_id}/history/", "/admin/registry/derowner/", "/registry/no-such-page/",
    ]  # fmt: skip
    api = [
        f"/api/v1/registry/ders/{der.uuid}/", f"/api/v1/registry/ders/{der.uuid}/owner/", f"/api/v1/registry/ders/{der.uuid}/versions/",
        f"/api/v1/registry/submissions/{draft.uuid}/rows/", f"/api/v1/registry/submissions/{draft.uuid}/findings/",
    ]  # fmt: skip
    leaks, masked = [], 0
    for who in READERS:
        for reader, urls in ((client_of(world.user(*who)), paths), (api_of(world.user(*who)), api)):
            for url in urls:
                answer = reader.get(url)
                body = b"".join(answer.streaming_content) if answer.streaming else answer.content
                text = body.decode(errors="replace")
                masked += MASK in text or json.dumps(MASK)[1:-1] in text
                leaks += [(who, url, value) for value in planted_in(text)]
    assert leaks == [] and masked >= 10
    assert planted_in(caplog.text + "".join(message.as_string() for message in mail.outbox)) == []
    assert planted_in(at_rest(files)) == []
    answer = client_of(world.user("aggregator", "filer")).get(f"/registry/submissions/{draft.uuid}/findings.csv")
    assert answer["Cache-Control"] == "no-store" and "ACCT-7781-PLANT" in b"".join(answer.streaming_content).decode()


@pytest.mark.django_db(transaction=True)
def test_keys_are_replaced_while_everybody_works(world):
    """All stays readable, history too; equal accounts still meet; the former key is gone and progress was told."""
    der = registered(world)
    former, said = DataKey.objects.get(organization=world.edc), io.StringIO()
    before = DerOwner.history.model.objects.count()
    call_command("rotate_keys", "edc", stdout=said)
    former.refresh_from_db()
    assert (bytes(former.wrapped), former.is_current, former.retired_at is not None) == (b"", False, True)
    assert not SubjectKey.objects.filter(data_key=former).exists() and "of 2 keys" in said.getvalue()
    owner = DerOwner.objects.get(pk=der.owner_id)
    assert opened(owner) == PLANTED and owner.data_key_id != former.pk
    version = DerOwner.history.model.objects.get(id=der.owner_id)
    assert opened(version.instance) == PLANTED and DerOwner.history.model.objects.count() == before
    again = staged(world, [row(1, **PLANTED)])
    assert again.rows.get().change == "unchanged" and DerOwner.objects.count() == 2
