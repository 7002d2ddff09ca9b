"""A worker is killed, or its database connection, in the middle of a file or a decision: nothing half-written, nothing twice (N13)."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.files import File
from django.db import connection
from django.utils import timezone

from moc.jobs import services as jobs
from moc.jobs.models import Job
from registry.ders.models import Der
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.submissions.personal import StagedOwner
from registry.submissions.services import filing
from registry.submissions.tasks import decide, stage
from tests.scale import state
from tests.scale.generator import write_csv

ROWS, PATIENCE_S = 12_000, 60
# a worker is known by a name of its own: other tests run on the same server, in databases whose tables have the same numbers
WRITERS = """
    SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE application_name = %s AND relation = %s::regclass AND mode = 'RowExclusiveLock' AND granted
"""
END = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = %s AND application_name = %s"
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filed(settings, tmp_path):
    """A file that waits to be read, with its job and the set of its bad rows."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    settings.CELERY_TASK_ALWAYS_EAGER = False
    filer, aggregator, edcs = state.parties()
    state.service_points(edcs, ROWS)
    expected = write_csv(tmp_path / "filing.csv", ROWS)
    with (tmp_path / "filing.csv").open("rb") as file:
        submission = filing.receive_file(actor=filer, aggregator=aggregator, upload=File(file, name="filing.csv"))
    return submission, set(expected.bad)


@pytest.fixture
def submitted(filed):
    """The same, read and submitted; gives its largest review and a job that approves all of it."""
    submission, _ = filed
    stage(submission.job_id)
    submission.refresh_from_db()
    version, _, _ = filing.attestation()
    filing.submit(actor=submission.created_by, submission=submission, attestation_version=version, only_good=True)
    review = UtilityReview.objects.filter(submission=submission).select_related("edc").order_by("-row_count").first()
    terms = {"kind": Decision.Kind.APPROVE, "statement": "", "reason_code": ""}
    plan = {"terms": terms, "selection": {"filter": ""}, "expected": review.row_count}
    arguments = {"review": review.pk, "plans": [plan], "evidence": None}
    job = Job.objects.create(
        task="registry.submissions.tasks.decide", title="Approve", user=review.edc.memberships.get().user, arguments=arguments
    )
    return review, job


def _worker(task: str, job: int, name: str) -> subprocess.Popen:
    database = connection.settings_dict
    host = database.get("HOST") or (database.get("OPTIONS") or {}).get("host", "")
    environment = os.environ | {
        "DATABASE_URL": f"postgres://{database['USER']}@/{database['NAME']}?host={host}&application_name={name}",
        "DJANGO_SETTINGS_MODULE": "tests.scale.worker_settings",
        "MOC_MEDIA": str(django_settings.MEDIA_ROOT),
    }
    return subprocess.Popen([sys.executable, "-m", "tests.resilience.worker", task, str(job)], env=environment, stderr=subprocess.DEVNULL)


@contextmanager
def _superuser():
    url = django_settings.DATABASE_SUPERUSER_URL
    with psycopg.connect(url, dbname=connection.settings_dict["NAME"], autocommit=True) as direct:
        yield direct


def _wait_until_writing(worker: str, table: str) -> int:
    """The process id of the worker's backend, as soon as it holds uncommitted rows of a table."""
    until = time.monotonic() + PATIENCE_S
    with _superuser() as direct:
        while time.monotonic() < until:
            row = direct.execute(WRITERS, [worker, table]).fetchone()
            if row:
                return row[0]
            time.sleep(0.01)
    raise AssertionError(f"nobody writes {table}")


def _kill(worker: subprocess.Popen) -> None:
    worker.send_signal(signal.SIGKILL)
    worker.wait()


def _end_connection(worker: subprocess.Popen, backend: int, name: str) -> None:
    with _superuser() as direct:
        assert direct.execute(END, [backend, name]).fetchall() == [(True,)]
    worker.wait(PATIENCE_S)


def _interrupt(how: str, task: str, job: int, table: str) -> None:
    """Run a job in a worker and break it while it writes a table."""
    name = f"worker-{uuid4()}"
    worker = _worker(task, job, name)
    backend = _wait_until_writing(name, table)
    if how == "worker":
        _kill(worker)
    else:
        _end_connection(worker, backend, name)
    with _superuser() as direct:  # the server notices the end of its client
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and direct.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [backend]).fetchone():
            time.sleep(0.05)


def _sweep(job: int) -> None:
    """What the beat does a minute later."""
    Job.objects.filter(pk=job, status=Job.Status.RUNNING).update(heartbeat_at=timezone.now() - 2 * Job.DEAD_AFTER)
    jobs.sweep()
    assert Job.objects.get(pk=job).status == Job.Status.QUEUED


@pytest.mark.parametrize("how", ["worker", pytest.param("database", marks=pytest.mark.whole)])
def test_reading_a_file_resumes_after_a_kill(filed, how):
    """Mid-file: the file is read again from its beginning, once."""
    submission, bad = filed
    _interrupt(how, "stage", submission.job_id, "registry_stagedder")
    assert not StagedDer.objects.exists() and not StagedOwner.objects.exists() and not Finding.objects.exists()
    assert Submission.objects.get(pk=submission.pk).status == Submission.Status.STAGING
    _sweep(submission.job_id)
    stage(submission.job_id)
    assert Job.objects.get(pk=submission.job_id).status == Job.Status.DONE
    assert Submission.objects.get(pk=submission.pk).status == Submission.Status.DRAFT
    assert StagedDer.objects.filter(submission=submission).count() == ROWS
    assert set(Finding.objects.errors().values_list("row_number", flat=True)) == bad
    stage(submission.job_id)
    assert StagedDer.objects.count() == ROWS, "a job that is done is not done again"


@pytest.mark.parametrize("how", [pytest.param("worker", marks=pytest.mark.whole), "database"])
def test_a_decision_resumes_after_a_kill(submitted, how):
    """Mid-decision: rows, decision, records and history come together or not at all."""
    review, job = submitted
    _interrupt(how, "decide", job.pk, "registry_der")
    assert not Der.objects.exists() and not Der.history.exists() and not Decision.objects.exists()
    assert not StagedDer.objects.exclude(status=StagedDer.Status.PENDING).exists()
    _sweep(job.pk)
    decide(job.pk)
    job.refresh_from_db()
    assert job.status == Job.Status.DONE, job.error
    assert Der.objects.count() == Der.history.count() == review.row_count
    decide(job.pk)
    assert Der.history.count() == review.row_count and Decision.objects.count() == 1
