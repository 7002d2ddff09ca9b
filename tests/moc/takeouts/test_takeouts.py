"""An organisation takes out everything that it is a party to, and only that: N11, N3. Rows of another in every model stay out."""

import csv
import hashlib
import io
import json
import re
import shutil
import zipfile
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib import admin
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.utils import timezone

from moc.access.machines import MachineCredential
from moc.access.policy import NotPermitted
from moc.accesslog.models import AccessEntry
from moc.bulk import copy_out
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.notices.models import Notice
from moc.takeouts import archive, services, tasks
from moc.takeouts.models import Takeout
from registry.ders.models import Der
from registry.participants import services as participants
from tests.contracts.doors import scene as made  # noqa: F401  (a fixture)
from tests.contracts.scene import Scene
from tests.factories.filings import store_in
from tests.moc.takeouts.copies import copied_models, plant


@pytest.fixture
def scene(made, settings, tmp_path) -> Iterator[Scene]:  # noqa: F811
    """The scene of the access matrix, one object of each kind between the first utility and the first aggregator; each test is rolled
    back, its files too."""
    store_in(settings, shutil.copytree(default_storage.location, tmp_path / "files"))
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


def written(takeout: Takeout) -> zipfile.ZipFile:
    tasks.write(takeout.job_id)
    takeout.refresh_from_db()
    assert takeout.document, takeout.job.error
    return zipfile.ZipFile(io.BytesIO(b"".join(documents.plain(takeout.document))))


def taken(scene, organization: str = "edc", **how) -> zipfile.ZipFile:
    actor = scene.world.user(organization, "administrator")
    return written(services.ask(actor=actor, organization=scene.world.organizations[organization], **how))


def rows_of(taken: zipfile.ZipFile, name: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(taken.read(name).decode("utf-8-sig"))))


def counted(statement: str, params: list) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return cursor.fetchone()[0]


# an independent word on what is the first utility's, for each table: SQL over its own columns
OWN = {
    "tables/registry_der.csv": "SELECT count(*) FROM registry_der WHERE edc_id = %s",
    "tables/registry_derowner.csv": "SELECT count(*) FROM registry_derowner WHERE edc_id = %s",
    "tables/registry_servicepoint.csv": "SELECT count(*) FROM registry_servicepoint WHERE edc_id = %s",
    "tables/registry_servicepoint.history.csv": "SELECT count(*) FROM registry_historicalservicepoint WHERE edc_id = %s",
    "tables/registry_feeder.csv": "SELECT count(*) FROM registry_feeder WHERE edc_id = %s",
    "tables/registry_gridload.csv": "SELECT count(*) FROM registry_gridload WHERE edc_id = %s",
    "tables/registry_utilityreview.csv": "SELECT count(*) FROM registry_utilityreview WHERE edc_id = %s",
    "tables/registry_decision.csv": (
        "SELECT count(*) FROM registry_decision d JOIN registry_utilityreview r ON r.id = d.review_id WHERE r.edc_id = %s"
    ),
    "tables/registry_stagedder.csv": (
        "SELECT count(*) FROM registry_stagedder s JOIN registry_submission b ON b.id = s.submission_id "
        "WHERE s.edc_id = %s AND b.submitted_at IS NOT NULL"
    ),
    "tables/registry_submission.csv": (
        "SELECT count(*) FROM registry_submission WHERE id IN (SELECT submission_id FROM registry_utilityreview WHERE edc_id = %s)"
    ),
    "tables/moc_membership.csv": "SELECT count(*) FROM moc_membership WHERE organization_id = %s",
    "tables/moc_organization.csv": "SELECT count(*) FROM moc_organization WHERE id = %s",
    "tables/moc_document.csv": "SELECT count(*) FROM moc_document WHERE owner_id = %s OR counterparty_id = %s",
    "tables/registry_contact.csv": "SELECT count(*) FROM registry_contact WHERE organization_id = %s",
}


def test_the_tables_hold_what_independent_sql_counts(scene):
    pk = scene.world.edc.pk
    expected = {name: counted(statement, [pk] * statement.count("%s")) for name, statement in OWN.items()}
    archived = taken(scene)
    manifest = json.loads(archived.read("manifest.json"))
    documents = expected.pop("tables/moc_document.csv")
    assert {name: manifest["rows"][name] for name in expected} == expected
    assert all(expected.values()), "the scene has something of each"
    assert len(rows_of(archived, "tables/moc_document.csv")) == manifest["rows"]["tables/moc_document.csv"] == documents
    for name, rows in manifest["rows"].items():
        assert len(rows_of(archived, name)) == rows, name


def test_every_model_with_parties_is_taken_with_its_history(scene):
    """A new model is among them by itself: it declares access_paths, or the system check fails."""
    names = set(taken(scene).namelist())
    for model in admin.site._registry:
        if set(model.access_paths) - archive.WORDS:
            assert archive.table_name(model) in names
            assert not hasattr(model, "history") or archive.table_name(model.history.model) in names


def test_nothing_of_another_utility_is_taken(scene):
    """Rows of the second utility in every model, marked in every text: no mark in any entry of the first's archive; its own has them."""
    planted = plant(scene.world, "planted")
    assert planted == set(copied_models()), "the scene has a row of each"
    archived = taken(scene, plain=True, purpose="tests")
    for name in archived.namelist():
        assert b"planted" not in archived.read(name) and "planted" not in name, name
    theirs = taken(scene, "edc2", plain=True, purpose="tests")
    for model in planted:
        assert rows_of(theirs, archive.table_name(model)) and rows_of(archived, archive.table_name(model)), model
    assert sum(b"planted" in theirs.read(name) for name in theirs.namelist()) > len(planted)


def test_no_secret_is_taken(scene):
    """What proves who somebody is leaves in no column, masked or not; columns that sound like it but are none are named here."""
    suspects = re.compile("secret|password|digest|token|hash|private|key$|recovery")
    # a caller's own word, public keys, what a domain's owner publishes in DNS, a row's number, what tells networks and envelopes apart
    harmless = {"idempotency_key", "key", "token", "source_key", "topology_hash", "content_hash"}
    archived = taken(scene, plain=True, purpose="tests")
    dictionary = csv.DictReader(io.StringIO(archived.read("dictionary.csv").decode("utf-8-sig")))
    assert {row["column"] for row in dictionary if suspects.search(row["column"])} <= harmless
    digests = [bytes(each, "ascii") for each in MachineCredential.objects.exclude(digest="").values_list("digest", flat=True)]
    assert digests and not [name for name in archived.namelist() for digest in digests if digest in archived.read(name)]


def test_the_manifest_names_every_file_with_its_digest(scene):
    archived = taken(scene)
    manifest = json.loads(archived.read("manifest.json"))
    listed = {entry["name"]: (entry["size"], entry["sha256"]) for entry in manifest["files"]}
    for name in set(archived.namelist()) - {"manifest.json"}:
        content = archived.read(name)
        assert listed[name] == (len(content), hashlib.sha256(content).hexdigest()), name
    assert any(name.startswith("files/") for name in listed) and any(name.startswith("letters/") for name in listed)
    columns = {(row["table"], row["column"]) for row in csv.DictReader(io.StringIO(archived.read("dictionary.csv").decode("utf-8-sig")))}
    for name in manifest["rows"]:
        header = archived.read(name).decode("utf-8-sig").split("\n", 1)[0].strip().split(",")
        assert {(name, column) for column in header} <= columns, name


def test_an_aggregator_takes_out_its_own_part(scene):
    archived = taken(scene, "aggregator")
    assert len(rows_of(archived, "tables/registry_der.csv")) == Der.objects.filter(aggregator=scene.world.aggregator).count() > 0
    assert rows_of(archived, "tables/registry_servicepoint.csv") == []
    assert len(rows_of(archived, "tables/registry_submission.csv")) == scene.world.aggregator.submissions.count()


def test_personal_columns_are_masked_unless_a_purpose_is_given(scene):
    (owner,) = rows_of(taken(scene), "tables/registry_derowner.csv")
    assert (owner["owner_name"], owner["edc_account_no"], owner["owner_phone"]) == (archive.MASK, archive.MASK, "")
    (plain,) = rows_of(taken(scene, plain=True, purpose="Rate case"), "tables/registry_derowner.csv")
    assert (plain["owner_name"], plain["edc_account_no"]) == ("An owner", "A-1")
    (version,) = rows_of(taken(scene, plain=True, purpose="Rate case"), "tables/registry_derowner.history.csv")
    assert (version["owner_name"], "sealed" in version, "subject" in version) == ("An owner", False, False)
    assert {entry.note for entry in AccessEntry.objects.filter(holder=scene.world.edc, purpose="takeout")} == {"Rate case"}
    with pytest.raises(UserError) as refused:
        services.ask(actor=scene.world.user("edc", "administrator"), organization=scene.world.edc, plain=True, purpose=" ")
    assert refused.value.code == "PURPOSE"


def test_only_an_administrator_takes_out_and_fetches(scene, client_of):
    for organization, role in (("edc", "approver"), ("edc", "auditor"), ("edc2", "administrator"), ("operator", "administrator")):
        with pytest.raises(NotPermitted):
            services.ask(actor=scene.world.user(organization, role), organization=scene.world.edc)
    assert not Takeout.objects.filter(organization=scene.world.edc, document=None, requested_by=None).exists()
    takeout = services.ask(actor=scene.world.user("edc", "administrator"), organization=scene.world.edc)
    written(takeout)
    url = f"/documents/{takeout.document.uuid}/"
    others = (("edc", "reviewer"), ("edc", "auditor"), ("rerra", "auditor"), ("aggregator", "administrator"))
    seen = {actor: client_of(scene.world.user(*actor)).get(url).status_code for actor in (("edc", "administrator"), *others)}
    assert [actor for actor, status in seen.items() if status == 200] == [("edc", "administrator")]
    assert Notice.objects.filter(user=takeout.requested_by, event="takeout_ready").count() == 1


def test_who_lost_the_right_gets_nothing(scene):
    takeout = services.ask(actor=scene.world.user("edc", "administrator"), organization=scene.world.edc)
    with acting(None, "system: tests"):
        scene.world.user("edc", "administrator").memberships.update(is_active=False)
    tasks.write(takeout.job_id)
    takeout.refresh_from_db()
    assert takeout.document is None and takeout.job.status == "failed"


def test_a_takeout_is_kept_for_some_days(scene, django_capture_on_commit_callbacks):
    takeout = services.ask(actor=scene.world.user("edc", "administrator"), organization=scene.world.edc)
    written(takeout)
    assert services.expire() == 0
    with django_capture_on_commit_callbacks(execute=True):
        assert services.expire(timezone.now() + timedelta(days=services.KEPT_DAYS, minutes=1)) == 1
    document = Document.objects.get(pk=takeout.document_id)
    assert document.removed_at and not document.file.storage.exists(document.file.name) and document.sha256
    assert services.expire(timezone.now() + timedelta(days=8)) == 0


def test_a_takeout_holds_no_takeout(scene):
    first = services.ask(actor=scene.world.user("edc", "administrator"), organization=scene.world.edc)
    written(first)
    assert not [name for name in taken(scene).namelist() if str(first.document.uuid) in name]


def test_files_that_are_gone_are_named(scene):
    scene.document.file.storage.delete(scene.document.file.name)
    manifest = json.loads(taken(scene).read("manifest.json"))
    assert manifest["files_missing"] == [str(scene.document.uuid)]


def test_formulas_are_neutralised(scene):
    with acting(None, "system: tests"):
        participants.save_contact(actor=None, contact=scene.contact, values={"name": "=HYPERLINK(1)"}, reason="system: tests")
    (row,) = rows_of(taken(scene, plain=True, purpose="tests"), "tables/registry_contact.csv")
    assert row["name"] == "'=HYPERLINK(1)"


def test_a_copy_says_how_many_rows_there_were(scene):
    rows = copy_out(Der.objects.values_list("pk"))
    while True:
        try:
            next(rows)
        except StopIteration as end:
            assert end.value == Der.objects.count()
            break
