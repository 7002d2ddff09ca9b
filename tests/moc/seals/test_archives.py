"""What leaves the database for a file stays under its seals: read back, compared, and named when it was altered (N4, N12)."""

import gzip
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import timezone

from moc.accesslog.models import AccessEntry
from moc.history import acting
from moc.rulesets.models import RuleSet
from moc.seals import archives, archiving, services
from moc.seals.models import Archive
from moc.seals.verification import verify
from operations.forecasts.models import MeterDay
from operations.telemetry.models import Reading
from registry.grid.models import ServicePoint
from tests.factories.ders import register
from tests.factories.filings import store_in
from tests.moc.seals.conftest import execute

OLD = datetime(2023, 5, 9, 12, tzinfo=UTC)
LOG = "moc_accessentry"


@pytest.fixture
def month(sealed, later, settings, tmp_path) -> list[AccessEntry]:
    """Looks of one month years ago and one of today, all under a seal; the file store is the test's own."""
    store_in(settings, tmp_path)
    facts = {"holder": sealed.edc, "record": 'owner, "A"\n', "columns": ["owner_name", "a,b"], "purpose": "account", "note": ""}
    entries = [AccessEntry.objects.create(at=OLD + timedelta(days=day), **facts) for day in range(3)]
    entries.append(AccessEntry.objects.create(**facts))
    later(LOG, "id")
    services.seal()
    return entries


@pytest.fixture
def move(month, later) -> Callable[[], Archive]:
    """Move the month, in a transaction after the last seal."""

    def run() -> Archive:
        (made,) = archiving.archive()
        later("moc_archive", "id")
        return made

    return run


def test_a_month_is_moved_and_everything_still_proven(month, move):
    """What is not due stays; the seals hold over what stands in the table and in the file together, and a second run moves nothing."""
    before = verify()
    made = move()
    assert (made.table, made.starts_at, made.row_count) == (LOG, datetime(2023, 5, 1, tzinfo=UTC), 3)
    assert list(AccessEntry.objects.values_list("pk", flat=True)) == [month[3].pk]
    after = verify()
    assert (list(before), list(after)) == ([], []) and after.rows == before.rows
    assert archiving.archive() == [] and archives.wrong_with(made) == ""


def test_what_is_not_sealed_or_not_due_waits(sealed, later, settings, tmp_path):
    store_in(settings, tmp_path)
    AccessEntry.objects.create(at=OLD, holder=sealed.edc, record="x", columns=[], purpose="account")
    later(LOG, "id")
    assert archiving.archive() == []  # no seal covers it
    services.seal()
    with acting(None, "tests"):
        RuleSet.objects.filter(key="online_days_identity").update(value="none")
    assert archiving.archive() == []
    with acting(None, "tests"):
        RuleSet.objects.filter(key="online_days_identity").update(value=730)
    assert len(archiving.archive(now=OLD + timedelta(days=700))) == 0 and len(archiving.archive()) == 1


def altered(path: str, before: bytes, after: bytes) -> None:
    """The file, with other rows in it."""
    with default_storage.open(path, "rb") as file:
        text = gzip.decompress(file.read())
    assert before in text
    default_storage.delete(path)
    default_storage.save(path, io.BytesIO(gzip.compress(text.replace(before, after), mtime=0)))


def test_a_file_that_was_altered_or_is_gone_is_found(month, move):
    made = move()
    altered(made.path, b",account,", b",legal,")
    found = {(each.kind, each.table) for each in verify()}
    assert ("archive", LOG) in found and ("removed", LOG) in found
    default_storage.delete(made.path)
    assert any("is gone" in each.sentence for each in verify())


def test_who_signs_another_file_is_found_by_the_seal(month, tamper, move):
    """Whoever holds the key and the database writes a new archive over the old: the seals name the row and the field all the same."""
    made = move()
    altered(made.path, b",account,", b",legal,")
    with default_storage.open(made.path, "rb") as file:
        forged = archives.hashlib.file_digest(file, "sha256").hexdigest()
    made.sha256 = forged
    columns = archives.json.loads(made.statement)["columns"]
    archives._signed(made, columns)
    tamper("UPDATE moc_archive SET sha256 = %s, statement = %s, signature = %s", forged, made.statement, made.signature)
    assert archives.wrong_with(Archive.objects.get()) == ""
    found = [(each.kind, each.table, each.row, each.fields) for each in verify()]
    assert ("altered", LOG, month[0].pk, ("purpose",)) in found


def test_only_what_an_archive_holds_is_let_go(month, db):
    """Not history, not a month that is not past, and not more rows than the archive has."""
    (seal,) = services.Seal.objects.all()[:1]
    facts = {"last_seal": seal, "size": 1, "sha256": "x", "statement": "{}", "signature": "x", "key": "x"}
    past = {"starts_at": datetime(2023, 5, 1, tzinfo=UTC), "ends_at": datetime(2023, 6, 1, tzinfo=UTC)}
    now = timezone.now()
    for table, row_count, period in (
        ("moc_historicalorganization", 0, past),
        (LOG, 1, {"starts_at": now - timedelta(days=40), "ends_at": now + timedelta(days=1)}),
        (LOG, 2, past),
    ):
        bad = Archive.objects.create(table=table, row_count=row_count, **period, **facts | {"sha256": f"{table}{row_count}"})
        with pytest.raises(DatabaseError, match="never let go|not past|has 2 rows, its table 3"), transaction.atomic():
            archiving._let_go(bad)
    assert AccessEntry.objects.count() == 4
    with pytest.raises(DatabaseError, match="never lost"), transaction.atomic():
        AccessEntry.objects.all().delete()


def test_an_archive_is_read_back_by_the_command(month, capsys, move):
    made = move()
    call_command("archive", "--list")
    call_command("archive", "--read", str(made.uuid))
    out = capsys.readouterr().out
    assert "As it was archived." in out and out.count("account") == 3 and "owner_name" in out
    altered(made.path, b",account,", b",legal,")
    with pytest.raises(CommandError, match="altered"):
        call_command("archive", "--read", str(made.uuid))


def test_the_workplace_lists_archives_and_verifies_their_files(month, sealed, client_of, move):
    made = move()
    client = client_of(sealed.user("rerra", "auditor"))
    assert LOG in client.get("/admin/moc/archive/").content.decode()
    action = {"action": "verify_files", "_selected_action": [made.pk]}
    assert "as it was archived" in client.post("/admin/moc/archive/", action, follow=True).content.decode()
    altered(made.path, b",account,", b",legal,")
    assert "was altered" in client.post("/admin/moc/archive/", action, follow=True).content.decode()
    operator = client_of(sealed.user("operator", "administrator"))
    assert operator.post("/admin/moc/archive/add/", {}).status_code == 302


def test_history_is_never_moved():
    assert all("historical" not in table for table in archives.movable())
    assert {"moc_accessentry", "moc_exportentry"} <= archives.movable().keys()


def test_months_are_whole(month):
    assert execute("SELECT count(*) FROM moc_accessentry WHERE at < '2024-01-01'") == [(3,)]
    assert [(start.day, end.day) for _, start, end in archiving.due()] == [(1, 1)]


@pytest.fixture
def reading(sealed, later, settings, tmp_path) -> Reading:
    """A reading of a month years ago, in a partition as the platform makes them, under a seal."""
    store_in(settings, tmp_path)
    (der,) = register(sealed, 1)
    bounds = "FROM ('2023-05-01 00:00+00') TO ('2023-06-01 00:00+00')"
    execute(f"CREATE TABLE operations_reading_2023_05 PARTITION OF operations_reading FOR VALUES {bounds}")
    execute("ALTER TABLE operations_reading_2023_05 OWNER TO moc_owner")
    facts = {"der": der, "aggregator_id": der.aggregator_id, "edc_id": der.edc_id, "p_kw": 1 / 3}
    made = Reading.objects.create(event_at=OLD, published_at=OLD, **facts)
    later("operations_reading", "id")
    services.seal()
    return made


def of_readings() -> list[tuple]:
    return [(each.kind, each.row, each.fields) for each in verify() if each.table == "operations_reading"]


def test_readings_are_sealed_and_an_altered_one_is_named(reading, tamper):
    assert of_readings() == []
    tamper("UPDATE operations_reading SET p_kw = 9 WHERE id = %s", reading.pk)
    assert of_readings() == [("altered", reading.pk, ("p_kw",))]


def test_a_month_of_readings_goes_as_its_partition_and_stays_proven(reading):
    """Every digit of a measurement comes back from the file."""
    (made,) = archiving.archive()
    assert (made.table, made.row_count) == ("operations_reading", 1)
    assert execute("SELECT to_regclass('operations_reading_2023_05')") == [(None,)]
    assert of_readings() == []


@pytest.fixture
def meter_day(sealed, later, settings, tmp_path) -> MeterDay:
    """A meter's day that was published years ago, under a seal."""
    store_in(settings, tmp_path)
    point = ServicePoint.objects.filter(edc=sealed.edc).first()
    facts = {"edc": sealed.edc, "service_point": point, "minutes": 60, "kwh": [1 / 3, None] * 12, "source": "ami"}
    made = MeterDay.objects.create(day=OLD.date(), published_at=OLD, **facts)
    later("operations_meterday", "id")
    services.seal()
    return made


def test_days_of_meters_are_moved_by_when_they_were_published(meter_day):
    """N5, N12: gaps and every digit come back, and the seals hold."""
    (made,) = archiving.archive()
    assert (made.table, made.row_count, MeterDay.objects.count()) == ("operations_meterday", 1, 0)
    assert [each for each in verify() if each.table == "operations_meterday"] == []
