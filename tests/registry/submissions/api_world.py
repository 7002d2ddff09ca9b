"""Filing through the API in tests: rows as a client sends them, the job run here, the files in a folder that goes away."""

from copy import deepcopy
from pathlib import Path

from django.db import connection

from registry.submissions.models import Submission
from registry.submissions.tasks import stage
from tests.factories.world import World

SUBMISSIONS = "/api/v1/registry/submissions/"
REVIEWS = "/api/v1/registry/reviews/"
DECISIONS = "/api/v1/registry/decisions/"


def store_in(settings, folder: Path) -> None:
    """Uploads go to real files: the reader streams them from disk."""
    settings.STORAGES = deepcopy(settings.STORAGES) | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    }


def row(n: int, **values) -> dict:
    """A good row: DER "A-<n>" at the n-th service point of the first utility; numbers as numbers."""
    return {
        "external_id": f"A-{n}",
        "der_type": "photovoltaic",
        "serial_no": f"SN-{n}",
        "nameplate_ac_kw": 7.6,
        "customer_sector": "residential",
        "interconnection_agreement_no": f"IA-{n}",
        "approved_export_kw": 7.6,
        "approved_import_kw": 0,
        "consent_reference": f"C-{n}",
        "utility_id_eia": 9726,
        "usage_point_id": f"edc-up-{n:02}",
        "premise_address": f"{n} Test Street, Red Bank",
        "edc_account_no": f"10000{n}",
        "owner_name": f"Owner {n}",
    } | values


def run(location: str) -> Submission:
    """Run the job that a worker would have been woken for."""
    submission = Submission.objects.get(uuid=location.rstrip("/").rpartition("/")[2])
    stage(submission.job_id)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS filing")  # goes with the transaction, which in a test does not end here
    submission.refresh_from_db()
    return submission


def file_rows(api, rows: list[dict], **said) -> str:
    """File rows as JSON and have them read; returns the address of the submission."""
    answer = api.post(SUBMISSIONS, {**said, "rows": rows})
    assert answer.status_code == 202, answer.json()
    run(answer["Location"])
    return answer["Location"]


def submit(world: World, api_of, location: str, **said):
    """Attest and submit as an approver; returns the answer."""
    api = api_of(world.user("aggregator", "approver"))
    version = api.get("/api/v1/registry/attestation/").json()["version"]
    body = {"attestation_version": version, **said}
    return api.post(f"{location}transitions/submit/", body, headers={"If-Match": api.get(location)["ETag"]})


def reviewed(world: World, api_of, rows: list[dict]) -> str:
    """File and submit rows; returns the address of the utility's review."""
    location = file_rows(api_of(world.machine), rows)
    answer = submit(world, api_of, location)
    assert answer.status_code == 200, answer.json()
    return f"{REVIEWS}{answer.json()['reviews'][0]['id']}/"
