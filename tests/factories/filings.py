"""Filings in tests: rows as an aggregator writes them, read, submitted and reviewed by the services."""

import csv
import io
from collections.abc import Iterable
from copy import deepcopy
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import connection

from moc.history import acting
from moc.jobs.models import Job
from registry.grid.models import ServicePoint
from registry.submissions import tasks
from registry.submissions.models import Submission, UtilityReview
from registry.submissions.services import filing
from tests.factories.world import World


def store_in(settings, folder: Path) -> None:
    """Uploads go to real files: the reader streams them from disk."""
    settings.STORAGES = deepcopy(settings.STORAGES) | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    }


def row(n: int, **values) -> dict[str, object]:
    """A row without findings: DER "A-<n>" at the n-th service point of the first utility."""
    return {
        "external_id": f"A-{n}",
        "der_type": "photovoltaic",
        "manufacturer": "Acme Solar",
        "model": "AS-7600",
        "serial_no": f"SN-{n}",
        "inverter_certification": "ul1741sb",
        "commissioned_on": "2018-05-14",
        "permission_to_operate_on": "2018-06-01",
        "nameplate_ac_kw": "7.6",
        "rated_kva": "7.6",
        "control_modes": "volt_var;freq_watt",
        "phases_installed": "1",
        "connection_kind": "btm",
        "customer_sector": "residential",
        "interconnection_agreement_no": f"IA-{n}",
        "approved_export_kw": "7.6",
        "approved_import_kw": "0",
        "retail_programs": "NEM",
        "consent_reference": f"C-{n}",
        "utility_id_eia": "9726",
        "usage_point_id": f"edc-up-{n:02}",
        "premise_address": f"{n} Test Street, Red Bank",
        "county_fips": "34025",
        "latitude": "40.34710",
        "longitude": "-74.06430",
        "edc_account_no": f"10000{n}",
        "owner_name": f"Owner {n}",
    } | values


def points(world: World, number: int) -> None:
    """Service points of the first utility up to "edc-up-<number>"."""
    first = world.service_points["edc"][0]
    known = len(world.service_points["edc"])
    with acting(None, "system: tests"):
        ServicePoint.objects.bulk_create(
            ServicePoint(
                edc=world.edc, usage_point_id=f"edc-up-{n:02}", feeder_id=first.feeder_id, county_id=first.county_id, phases_available=1
            )
            for n in range(known + 1, number + 1)
        )


def upload(content: bytes, name: str = "filing.csv") -> SimpleUploadedFile:
    """A file as a form hands it over."""
    return SimpleUploadedFile(name, content)


def on_disk(content: bytes, name: str = "decisions.csv") -> TemporaryUploadedFile:
    """A file that is read where the upload left it."""
    file = TemporaryUploadedFile(name, "application/octet-stream", len(content), None)
    file.write(content)
    file.seek(0)
    return file


def table(rows: Iterable[dict], columns: Iterable[str] = ()) -> bytes:
    """Rows as CSV with a header."""
    rows = list(rows)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(columns) or list(dict.fromkeys(name for each in rows for name in each)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def run(job: Job) -> Job:
    """Run a job as a worker would."""
    {tasks.stage.name: tasks.stage, tasks.decide.name: tasks.decide}[job.task](job.pk)
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS filing")  # goes with the transaction, which in a test does not end here
    job.refresh_from_db()
    return job


def staged(world: World, rows: Iterable[dict], *, submission: Submission | None = None, **how) -> Submission:
    """Rows uploaded as a file by the first aggregator's filer, and read."""
    filer = world.user("aggregator", "filer")
    file = upload(table(rows))
    found = filing.receive_file(actor=filer, aggregator=world.aggregator, upload=file, submission=submission, **how)
    run(found.job)
    found.refresh_from_db()
    return found


def submitted(world: World, rows: Iterable[dict], **how) -> Submission:
    """Rows read, attested and submitted."""
    found = staged(world, rows)
    version, _, _ = filing.attestation()
    return filing.submit(actor=world.user("aggregator", "approver"), submission=found, attestation_version=version, **how)


def reviewed(world: World, rows: Iterable[dict]) -> UtilityReview:
    """Rows under the first utility's review."""
    return submitted(world, rows).reviews.get(edc=world.edc)


def found_in(submission: Submission) -> set[tuple[int, str]]:
    """(row number, rule code) of a submission's findings. The first row of a file is 2: its header is 1."""
    return set(submission.findings.values_list("row_number", "code"))
