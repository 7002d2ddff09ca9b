"""A file of a million rows → staged → all rules → submitted → decided → master record with history (issue: figures, rows 1 and 2)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import psycopg
import pytest
from django.conf import settings
from django.core.files import File
from django.db import connection

from registry.submissions.models import Finding, Submission, UtilityReview
from registry.submissions.services import filing
from tests.scale import state
from tests.scale.figures import ROWS, RUNS, Phases, verdict
from tests.scale.generator import write_csv

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
WORKERS = 2  # as make up runs
RAW = Path(__file__).parent / "raw.sql"


def _superuser():
    url = settings.DATABASE_SUPERUSER_URL
    name = connection.settings_dict["NAME"]
    head, _, query = url.partition("?")
    return psycopg.connect(f"{head.rsplit('/', 1)[0]}/{name}?{query}", autocommit=True)


def _start(phase: str, what: int | str) -> subprocess.Popen:
    """Start a phase in a process of its own, as the worker does."""
    database = connection.settings_dict
    host = database.get("HOST") or (database.get("OPTIONS") or {}).get("host", "")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={host}",
        "DJANGO_SETTINGS_MODULE": "tests.scale.worker_settings",
        "MOC_MEDIA": str(settings.MEDIA_ROOT),
    }
    command = [sys.executable, "-m", "tests.scale.worker", phase, str(what)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _finish(worker: subprocess.Popen) -> dict:
    """Its seconds by step and its peak memory."""
    out, problems = worker.communicate()
    assert worker.returncode == 0, problems[-3000:]
    return json.loads(out.splitlines()[-1])


def test_a_million_rows_become_master_records(tmp_path, settings):
    """R1, N13: ratio of rows/s, ours from file to decided master record against raw COPY of the good rows."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    settings.CELERY_TASK_ALWAYS_EAGER = False
    filer, aggregator, edcs = state.parties()
    expected = write_csv(tmp_path / "filing.csv", ROWS)
    state.service_points(edcs, ROWS)
    phases, memory = Phases(), {}
    for run in range(RUNS):
        file_and_decide(phases, memory, filer, aggregator, tmp_path, expected)
        _raw_copy(phases, tmp_path)
        if run < RUNS - 1:
            empty()
    ours = sum(phases.median(name) for name in phases.seconds if not name.startswith(("raw", "  ")))
    raw = phases.median("raw COPY, same table and indexes, no history")
    merge = phases.median("  its merge with history, for all rows")
    plain = phases.median("raw INSERT … SELECT of the same rows, no history")
    print(f"\n\nImport of {ROWS:,} rows, {len(expected.bad):,} bad, {RUNS} runs\n{phases.table(ROWS)}")
    staging, deciding = memory["stage"] / 1024, memory["decide"] / 1024
    print(f"  peak memory of the worker: staging {staging:.0f} MB, deciding {deciding:.0f} MB (must be < 500 MB)")
    print(verdict("file to master record against raw COPY (rows/s)", raw / ours, floor=0.5))
    print(verdict("merge with history against the same without", plain / merge, floor=0.6))


def file_and_decide(phases, memory, filer, aggregator, folder, expected, stage: str = "stage") -> None:
    with (folder / "filing.csv").open("rb") as file:
        submission = filing.receive_file(actor=filer, aggregator=aggregator, upload=File(file, name="filing.csv"))
    staged = _finish(_start(stage, submission.job_id))
    for name, seconds in staged["steps"].items():
        phases.add(name, seconds)
    found = set(Finding.objects.filter(submission=submission, severity="error").values_list("row_number", flat=True))
    assert found == set(expected.bad), (sorted(found ^ set(expected.bad))[:10], len(found), len(expected.bad))
    for name, seconds in _finish(_start("submit", submission.pk))["steps"].items():
        phases.add(name, seconds)
    largest = UtilityReview.objects.filter(submission=submission).order_by("row_count").last()
    rehearsed = _finish(_start("rehearse", largest.pk))
    phases.add("  its merge with history, for all rows", rehearsed["steps"]["merge"] * expected.good_rows / largest.row_count)
    _forget()
    started = perf_counter()
    reviews = ",".join(str(pk) for pk in UtilityReview.objects.filter(submission=submission).values_list("pk", flat=True))
    decided = [_finish(worker) for worker in [_start("decide", reviews) for _ in range(WORKERS)]]
    phases.add(f"decide all reviews by {WORKERS} workers", perf_counter() - started)
    memory["stage"], memory["decide"] = staged["peak_kb"], max(worker["peak_kb"] for worker in decided)
    assert Submission.objects.get(pk=submission.pk).status == Submission.Status.COMPLETED


def _forget() -> None:
    """No trace of what was rehearsed: it was rolled back, but its dead rows stand in tables and indexes."""
    tables = ("registry_der", "registry_historicalder", "registry_derowner", "registry_historicalderowner")
    with _superuser() as direct:
        for table in (*tables, "registry_stagedder"):
            direct.execute(f"VACUUM {table}")
        for table in tables:
            direct.execute(f"REINDEX TABLE {table}")
        direct.execute("CHECKPOINT")


def _raw_copy(phases, folder) -> None:
    """COPY of the good rows into a table with the same columns, indexes and keys, without history."""
    owners, ders = folder / "owners.copy", folder / "ders.copy"
    with _superuser() as direct, direct.cursor() as cursor:
        for table, path in (("registry_derowner", owners), ("registry_der", ders)):
            with path.open("wb") as file, cursor.copy(f"COPY {table} TO STDOUT") as copy:
                for block in copy:
                    file.write(block)
        cursor.execute(RAW.read_text())
        cursor.execute("CHECKPOINT")
        with phases("raw COPY, same table and indexes, no history"), direct.transaction():
            for table, path in (("raw_derowner", owners), ("raw_der", ders)):
                with path.open("rb") as file, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                    while block := file.read(1 << 18):
                        copy.write(block)
        cursor.execute(RAW.read_text())
        cursor.execute("CHECKPOINT")
        with phases("raw INSERT … SELECT of the same rows, no history"), direct.transaction():
            cursor.execute("INSERT INTO raw_derowner SELECT * FROM registry_derowner")
            cursor.execute("INSERT INTO raw_der SELECT * FROM registry_der")
        cursor.execute("DROP TABLE raw_der, raw_derowner")


def empty() -> None:
    """An empty registry for the next run; parties and service points stay."""
    with _superuser() as direct, direct.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "TRUNCATE registry_der, registry_historicalder, registry_derowner, registry_historicalderowner, registry_stagedder, "
            "registry_stagedowner, moc_subjectkey, registry_finding, registry_decision, registry_utilityreview, registry_submission CASCADE"
        )
