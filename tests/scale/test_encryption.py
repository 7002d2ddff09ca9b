"""The file of a million rows with personal data encrypted, against the same without (issue: figures)."""

import pytest

from tests.scale import state
from tests.scale.figures import ROWS, RUNS, Phases, verdict
from tests.scale.generator import write_csv
from tests.scale.test_import import empty, file_and_decide

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
KINDS = {"with encryption": "stage", "without": "stage_plain"}


def test_encryption_keeps_the_speed(tmp_path, settings):
    """N12: rows/s from file to decided master record, both in one run and in alternating order."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    settings.CELERY_TASK_ALWAYS_EAGER = False
    filer, aggregator, edcs = state.parties()
    expected = write_csv(tmp_path / "filing.csv", ROWS)
    state.service_points(edcs, ROWS)
    phases = {kind: Phases() for kind in KINDS}
    for run in range(RUNS):
        for kind in list(KINDS)[:: 1 if run % 2 else -1]:
            file_and_decide(phases[kind], {}, filer, aggregator, tmp_path, expected, KINDS[kind])
            empty()
    seconds = {kind: sum(found.median(name) for name in found.seconds if not name.startswith("  ")) for kind, found in phases.items()}
    for kind, found in phases.items():
        print(f"\n\nImport of {ROWS:,} rows {kind}, {RUNS} runs: {seconds[kind]:.1f} s\n{found.table(ROWS)}")
    print(verdict("with personal data encrypted against without (rows/s)", seconds["without"] / seconds["with encryption"], floor=0.8))
