"""The whole registry as recorded at an instant, as files under a seal: N4, N11, N3. As CSV and Parquet, of what the asker may audit."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pyarrow
import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone
from pyarrow import parquet

from moc.access.classes import CLASSES, DataClass, class_of
from moc.access.models import Organization, User
from moc.access.policy import NotPermitted
from moc.apps import own_models
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.history import acting
from moc.jobs.models import Job
from moc.jobs.services import Cancelled
from moc.notices.models import Notice
from moc.rulesets.models import RuleSet
from moc.seals import checker, keys, proofs
from moc.seals.models import Seal
from moc.snapshots import rows, services, tasks
from moc.snapshots.models import Snapshot
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from tests.contracts.scene import Scene, make_scene
from tests.factories.filings import store_in

NASTY = 'a "quoted", text\nof two lines; =1+1'


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker) -> Iterator[Scene]:
    """The scene of the access matrix, once."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_scene()
        transaction.set_rollback(True)


@pytest.fixture
def scene(made, settings, tmp_path, monkeypatch) -> Iterator[Scene]:
    """The scene under its seal, which takes what is written later in this transaction too; each test is rolled back."""
    store_in(settings, tmp_path)
    monkeypatch.setattr(services, "_covering", Seal.objects.first)
    with transaction.atomic():
        yield made
        transaction.set_rollback(True)


def ask(scene, who: str = "rerra", **how) -> Snapshot:
    return services.ask(actor=scene.world.user(who, "auditor"), organization=scene.world.organizations[who], **how)


def written(snapshot: Snapshot) -> zipfile.ZipFile:
    tasks.write(snapshot.job_id)
    snapshot.refresh_from_db()
    assert snapshot.document, snapshot.job.error
    return zipfile.ZipFile(io.BytesIO(b"".join(documents.plain(snapshot.document))))


def table(taken: zipfile.ZipFile, model) -> list[dict]:
    """The rows of a model, from either kind of file."""
    name = f"tables/{model._meta.db_table}"
    if f"{name}.csv" in taken.namelist():
        return list(csv.DictReader(io.StringIO(taken.read(f"{name}.csv").decode("utf-8-sig"), newline="")))
    return parquet.read_table(io.BytesIO(taken.read(f"{name}.parquet"))).to_pylist()


def counted(statement: str, *values) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchone()[0]


STOOD = """SELECT count(*) FROM {live} AS now WHERE {mine} AND EXISTS (
    SELECT FROM {history} AS version WHERE version.{key} = now.{key} AND version.history_date <= %s)"""
OVERSEEN = "(SELECT overseen_id FROM moc_oversight WHERE overseer_id = %s)"
SCOPES = {
    "registry_der": f"edc_id IN {OVERSEEN}",
    "registry_servicepoint": f"edc_id IN {OVERSEEN}",
    "registry_feeder": f"edc_id IN {OVERSEEN}",
    "registry_utilityreview": f"edc_id IN {OVERSEEN}",
    "registry_county": "%s > 0",
    "moc_ruleset": "%s > 0",
}


def test_the_tables_hold_what_independent_sql_counts(scene):
    """Nothing was deleted here: every object of the regulator's utilities that had a version by then stood."""
    snapshot = ask(scene)
    manifest = json.loads(written(snapshot).read("manifest.json"))
    found = {entry["name"]: entry["rows"] for entry in manifest["files"] if "rows" in entry}
    for live, mine in SCOPES.items():
        history = live.replace("_", "_historical", 1)
        expected = counted(
            STOOD.format(live=live, history=history, mine=mine, key="fips" if "county" in live else "id"),
            scene.world.rerra.pk,
            snapshot.moment,
        )
        assert found[f"tables/{live}.parquet"] == expected > 0, live
    assert snapshot.row_count == sum(found.values())
    assert set(found) == {f"tables/{model._meta.db_table}.parquet" for model in rows.recorded()}


def test_records_stand_as_they_were(scene):
    """Changed and deleted records as of before; those that came later are not there."""
    edc = scene.world.edc
    with acting(None, "tests"):
        gone = ServicePoint.objects.create(edc=edc, usage_point_id="GONE", phases_available=1)
    before = timezone.now()
    with acting(None, "tests"):
        Organization.objects.filter(pk=edc.pk).update(name="Renamed")
        later = ServicePoint.objects.create(edc=edc, usage_point_id="LATER", phases_available=1)
        ServicePoint.objects.filter(pk=gone.pk).delete()
    then, now = written(ask(scene, moment=before)), written(ask(scene))
    assert {row["name"] for row in table(then, Organization) if row["id"] == edc.pk} == {edc.name}
    assert {row["name"] for row in table(now, Organization) if row["id"] == edc.pk} == {"Renamed"}
    points = [{row["id"] for row in table(taken, ServicePoint)} for taken in (then, now)]
    assert later.pk not in points[0] and later.pk in points[1]
    assert gone.pk in points[0] and gone.pk not in points[1]


def test_what_went_to_another_regulators_utility_leaves_no_older_version(scene):
    """N3: which version stood is chosen among all of them, then the asker's are kept."""
    point = ServicePoint.objects.filter(edc=scene.world.edc).first()
    before = timezone.now()
    with acting(None, "tests"):
        ServicePoint.objects.filter(pk=point.pk).update(edc=scene.world.organizations["edc2"])
    assert point.pk in {row["id"] for row in table(written(ask(scene, "edc", moment=before)), ServicePoint)}
    assert point.pk not in {row["id"] for row in table(written(ask(scene, "edc")), ServicePoint)}


def test_parquet_says_what_was_recorded_and_csv_the_same_for_spreadsheets(scene):
    """Texts with quotes, lines and formulas; empty and unknown; numbers, dates, truth and lists keep their types."""
    with acting(None, "tests"):
        Der.objects.filter(pk=scene.der.pk).update(manufacturer=NASTY, model="=cmd", firmware="", nameplate_ac_kw=Decimal("7.125"))
    der = Der.objects.get(pk=scene.der.pk)
    (typed,) = [row for row in table(written(ask(scene)), Der) if row["id"] == der.pk]
    (plain,) = [row for row in table(written(ask(scene, format="csv")), Der) if row["id"] == str(der.pk)]
    assert (typed["manufacturer"], typed["model"], typed["firmware"]) == (NASTY, "=cmd", "")
    assert (plain["manufacturer"], plain["model"], plain["firmware"]) == (NASTY, "'=cmd", "")
    assert (typed["nameplate_ac_kw"], Decimal(plain["nameplate_ac_kw"])) == (der.nameplate_ac_kw, der.nameplate_ac_kw)
    assert (typed["commissioned_on"], plain["commissioned_on"]) == (der.commissioned_on, str(der.commissioned_on or ""))
    assert typed["uuid"] == plain["uuid"] == str(der.uuid)
    assert typed["history_date"] == Der.history.filter(id=der.pk).latest().history_date
    for field in rows.fields(Der):
        value = getattr(der, field.attname, "")
        assert (typed[field.attname] is None) == (value is None), field.attname
    organizations = table(written(ask(scene)), Organization)
    assert {row["is_active"] for row in organizations} == {True}


def test_no_person_is_in_it(scene):
    """N12: no sealed column, no table of persons, no address of anybody's mail."""
    taken = written(ask(scene, format="csv"))
    header = {name: taken.read(name).decode("utf-8-sig").split("\n", 1)[0].split(",") for name in taken.namelist() if "tables/" in name}
    sealed = {name for model in own_models() for name in getattr(model, "personal", ())} - {"name"}
    registration = header["tables/registry_aggregatorregistration.csv"]
    assert "tax_id" in sealed and "address" in registration
    for name, columns in header.items():
        assert not (sealed | {"secret", "digest", "wrapped", "password", "ciphertext"}) & set(columns), name
    everything = b"".join(taken.read(name) for name in taken.namelist())
    mails = [mail.encode() for mail in User.objects.values_list("email", flat=True)]
    assert mails and not [mail for mail in mails if mail in everything]
    assert not {"tables/moc_user.csv", "tables/registry_derowner.csv", "tables/registry_contact.csv"} & set(header)


def test_only_the_askers_own(scene):
    """N3: another regulator's snapshot has none of the first's DERs; an aggregator's only its own."""
    theirs = written(ask(scene, "aggregator"))
    assert {row["aggregator_id"] for row in table(theirs, Der)} == {scene.world.aggregator.pk}
    user = scene.world.user("rerra2", "administrator")
    other = written(services.ask(actor=user, organization=scene.world.organizations["rerra2"]))
    assert scene.der.pk not in {row["id"] for row in table(other, Der)}
    with pytest.raises(NotPermitted):
        services.ask(actor=user, organization=scene.world.rerra)
    with pytest.raises(NotPermitted):
        services.ask(actor=scene.world.user("edc", "viewer"), organization=scene.world.edc)


def test_the_manifest_names_every_file_and_the_seal_is_good(scene):
    taken = written(ask(scene))
    manifest, seal = json.loads(taken.read("manifest.json")), json.loads(taken.read("seal.json"))
    listed = {entry["name"]: entry for entry in manifest["files"]}
    assert set(listed) == set(taken.namelist()) - {"manifest.json"}
    for name, entry in listed.items():
        assert (entry["size"], entry["sha256"]) == (len(taken.read(name)), hashlib.sha256(taken.read(name)).hexdigest()), name
    last = Seal.objects.first()
    assert (manifest["seal"]["number"], manifest["seal"]["before"]) == (last.number, last.before)
    assert checker.is_signed(seal["statement"], seal["signature"], keys.trusted()[seal["key"]])
    name = "tables/moc_organization.parquet"
    assert listed[name]["columns"] == parquet.read_table(io.BytesIO(taken.read(name))).column_names
    described = {(row["table"], row["column"]) for row in csv.DictReader(io.StringIO(taken.read("dictionary.csv").decode("utf-8-sig")))}
    assert {("moc_organization", column) for column in listed[name]["columns"]} <= described


def test_a_row_leads_to_its_proof(scene):
    """The version that a row names is proven under a seal."""
    row = next(row for row in table(written(ask(scene)), Organization) if row["id"] == scene.world.edc.pk)
    made = proofs.proof(actor=scene.world.user("rerra", "auditor"), table="moc_historicalorganization", row=row["history_id"])
    assert made["key"] == row["history_id"] and json.loads(made["seal"]["statement"])["number"] == Seal.objects.first().number


def test_a_second_attempt_stands_under_the_same_seal(scene, monkeypatch):
    """A worker that dies on the way leaves nothing but the seal; the next attempt writes the same rows."""
    snapshot = ask(scene)

    def die(*args, **kwargs):
        raise OperationalError("gone")

    with monkeypatch.context() as patched:
        patched.setattr(services.documents, "store", die)
        with pytest.raises(OperationalError):
            tasks.write(snapshot.job_id)
    snapshot.refresh_from_db()
    assert snapshot.document is None and snapshot.seal == Seal.objects.first()
    with acting(None, "tests"):
        Organization.objects.filter(pk=scene.world.edc.pk).update(name="Renamed meanwhile")
    Job.objects.filter(pk=snapshot.job_id).update(status=Job.Status.QUEUED)
    monkeypatch.setattr(services, "_covering", die)
    assert scene.world.edc.name in {row["name"] for row in table(written(snapshot), Organization)}
    assert Notice.objects.filter(event="snapshot_ready").count() == 1
    tasks.write(snapshot.job_id)
    assert Document.objects.filter(kind=Document.Kind.SNAPSHOT).count() == 1


@pytest.mark.parametrize("format", Snapshot.Format.values)
def test_it_stops_when_it_is_cancelled(scene, format):
    snapshot = ask(scene, format=format)
    snapshot.seal = Seal.objects.first()

    def stop(done: int, total: int, phase: str) -> None:
        if "registry_der." in phase:
            raise Cancelled

    with pytest.raises(Cancelled):
        services.write(snapshot, scene.world.user("rerra", "auditor"), stop)
    assert not Document.objects.filter(kind=Document.Kind.SNAPSHOT)


def test_a_file_that_cannot_be_converted_says_why(scene, monkeypatch):
    """The error is the converter's, not that of the pipe to it."""
    stood = rows.standing(Organization, timezone.now(), 2**62, scene.world.user("rerra", "auditor"))
    monkeypatch.setattr(rows, "_type", lambda field: pyarrow.bool_())
    with pytest.raises(pyarrow.ArrowInvalid):
        rows.as_parquet(Organization, stood, lambda block: None, lambda: None)


def test_times_to_come_are_refused(scene):
    with pytest.raises(UserError, match="time to come"):
        ask(scene, moment=timezone.now() + timedelta(minutes=1))


def test_without_a_seal_there_is_no_snapshot(made, monkeypatch):
    """While a transaction is open that is older than all others, nothing can be sealed."""
    monkeypatch.setattr(services.seals, "seal", lambda: None)
    monkeypatch.setattr(services.Seal, "objects", Seal.objects.none())
    with pytest.raises(UserError, match="sealed"):
        services._covering()


def test_archives_go_after_their_days(scene):
    snapshot = ask(scene)
    written(snapshot)
    assert services.expire() == 0
    assert services.expire(timezone.now() + timedelta(days=services.KEPT_DAYS + 1)) == 1
    snapshot.refresh_from_db()
    assert snapshot.document.removed_at is not None


def test_colleagues_who_audit_open_the_file_and_nobody_else(scene):
    snapshot = ask(scene)
    written(snapshot)
    for who, role, may in (("rerra", "administrator", True), ("rerra", "viewer", False), ("edc", "auditor", False)):
        readable = Document.objects.readable_by(scene.world.user(who, role))
        assert readable.filter(pk=snapshot.document_id).exists() == may, (who, role)


def test_the_page_takes_one(scene):
    client = scene.clients["rerra:auditor"]
    response = client.post("/snapshots/", {"moment": "2026-01-02T03:04", "format": "csv"})
    assert response.status_code == 302
    asked = Snapshot.objects.order_by("-id").first()
    assert (asked.organization, asked.format, timezone.localtime(asked.moment).isoformat()[:16]) == (
        scene.world.rerra,
        "csv",
        "2026-01-02T03:04",
    )
    assert b"a date and time that is past" in client.post("/snapshots/", {"moment": "2126-01-02T03:04", "format": "csv"}).content


def test_every_table_has_a_class():
    """N12: a new slice of nobody's class would leave the platform in a snapshot, or never be archived."""
    classes = {model: class_of(model) for model in own_models()}
    assert set(classes.values()) == set(DataClass)
    assert classes[User] == DataClass.IDENTITY and classes[Organization] == DataClass.REGISTRY and classes[Der] == DataClass.REGISTRY
    slices = {name.partition(":")[0] for name in CLASSES} - {"market"}
    assert all(any(model.__module__.startswith(name) for model in classes) for name in slices)
    named = {name.rpartition(":")[2] for name in CLASSES if ":" in name}
    assert named <= {model.__name__ for model in classes}


def test_added_records_are_in_it_as_far_as_they_had_been_added(scene):
    """Parts of disputes, signatures, former connections: by the moment and under the seal; persons and measurements are not."""
    part = scene.dispute_part
    earlier = written(ask(scene, moment=part.created_at - timedelta(seconds=1), format="csv"))
    later = written(ask(scene, format="csv"))
    ids = [row["id"] for row in table(later, type(part))]
    assert str(part.pk) in ids and str(part.pk) not in [row["id"] for row in table(earlier, type(part))]
    assert not {"tables/moc_accessentry.csv", "tables/moc_exportentry.csv", "tables/operations_reading.csv"} & set(later.namelist())
    assert {rows.written_at(each) for each in rows.recorded() if not hasattr(each, "history")} <= set(
        "created_at signed_at recorded_at stood_at made_at".split()
    )


def test_as_valid_on_a_day_has_what_holds_then(scene):
    """Rule sets of a day: what was recorded is one question, what held another."""
    day = timezone.localdate() + timedelta(days=400)
    with acting(None, "tests"):
        row = RuleSet.objects.create(key="later", value=1, source="x", valid_during=(day, None))
    now = {row["key"] for row in table(written(ask(scene, valid_on=timezone.localdate(), format="csv")), RuleSet)}
    then = {row["key"] for row in table(written(ask(scene, valid_on=day, format="csv")), RuleSet)}
    every = {row["key"] for row in table(written(ask(scene, format="csv")), RuleSet)}
    assert row.key not in now and row.key in then & every and now < every
