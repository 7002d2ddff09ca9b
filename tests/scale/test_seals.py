"""Sealing and verifying BENCH_ROWS versions of DERs, against one sequential scan that hashes each row (issue: figures)."""

from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection, transaction
from psycopg import connect

from moc.seals import canon, services
from moc.seals.models import Seal, SealedBlock
from moc.seals.verification import verify
from registry.ders.models import Der
from tests.scale import state
from tests.scale.figures import ROWS, RUNS, Phases, peak_kb, verdict
from tests.scale.generator import write_csv
from tests.scale.test_import import file_and_decide

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
FILED, OWN = 20_000, ("history_id", "transaction_id")
TABLE = Der.history.model._meta.db_table


def test_sealing_and_verifying_cost_little_more_than_a_scan(tmp_path, settings):
    """N4: seal, verify and scan in turn, each in one process (a statement that writes has no parallel plan); one altered row is found."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT, settings.CELERY_TASK_ALWAYS_EAGER = tmp_path, False
    fill(tmp_path)
    phases = Phases()
    for _ in range(RUNS):
        server("TRUNCATE moc_sealedblock, moc_sealedtable, moc_seal, moc_verification CASCADE")
        with phases("scan that hashes each row"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
            for table in canon.tables():  # what a seal covers: the versions of DERs, and what else their filing wrote
                cursor.execute(f"SELECT count(sha256(convert_to(version::text, 'UTF8'))) FROM \"{table}\" AS version")
        with phases("seal"):
            sealed = services.seal()
        with phases("verify"):
            _, found = services.run_verification()
        assert not found and sealed.row_count >= ROWS
    one = server(f'SELECT history_id FROM "{TABLE}" ORDER BY history_id OFFSET {ROWS // 3} LIMIT 1')[0][0]
    server(f'UPDATE "{TABLE}" SET nameplate_ac_kw = nameplate_ac_kw + 1 WHERE history_id = {one}')
    with phases("verify and find the one altered"), transaction.atomic():
        found = verify()
    assert [(each.kind, each.table, each.row, each.fields) for each in found] == [("altered", TABLE, one, ("nameplate_ac_kw",))]
    report(phases)


def fill(tmp_path: Path) -> None:
    """ROWS versions of DERs: a filing as people file it, its versions multiplied, of a transaction that has long ended."""
    filer, aggregator, edcs = state.parties()
    expected = write_csv(tmp_path / "filing.csv", min(ROWS, FILED))
    state.service_points(edcs, min(ROWS, FILED))
    file_and_decide(Phases(), {}, filer, aggregator, tmp_path, expected, "stage")
    columns = ", ".join(f'"{name}"' for name, _ in canon.columns_of(Der.history.model) if name not in OWN)
    times = -(-ROWS // expected.good_rows)
    server(f'INSERT INTO "{TABLE}" ({columns}, transaction_id) SELECT {columns}, 1000 FROM "{TABLE}", generate_series(1, {times})')
    server(f'VACUUM ANALYZE "{TABLE}"')


def report(phases: Phases) -> None:
    rows, scan = Seal.objects.get().row_count, phases.median("scan that hashes each row")
    kept = sum(len(block.keys) + len(block.leaves) + len(block.fields) for block in SealedBlock.objects.all().iterator(500))
    memory = peak_kb() / 1024
    of_ders = SealedBlock.objects.filter(table=TABLE).count()
    print(f"\n\nSeals of {rows:,} rows ({len(canon.columns_of(Der.history.model))} columns), {RUNS} runs\n{phases.table(rows)}")
    print(f"  {of_ders:,} blocks, {kept / rows:.0f} bytes of hashes a row, at most {memory:.0f} MB of memory")
    print(verdict("sealing against one scan that hashes each row", phases.median("seal") / scan, ceiling=2))
    print(verdict("verifying against the same scan", phases.median("verify") / scan, ceiling=2.5))


def server(statement: str) -> list[tuple]:
    """A statement as the superuser, with triggers at rest."""
    with connect(settings.DATABASE_SUPERUSER_URL, dbname=connection.settings_dict["NAME"], autocommit=True) as server:
        server.execute("SET session_replication_role = replica")
        cursor = server.execute(statement)
        return cursor.fetchall() if cursor.description else []
