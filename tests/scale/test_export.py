"""CSV export of the whole DER list through its view against COPY TO of the same columns; its memory (figures, row 7)."""

import csv

import pytest

from registry.ders.models import Der
from registry.ders.tables import DER_EXPORT
from tests.scale.figures import RUNS, Phases, verdict

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
VIEW, COPY = "the list's export, with sign-in and request", "COPY TO of the same columns"


def test_an_export_is_near_to_copy(small_and_large, tmp_path):
    large, phases, peaks = small_and_large[1], Phases(), []
    with large.entered():
        user = large.users["regulator"].pk
        for _ in range(RUNS):
            for name, what, header in ((VIEW, "view", 1), (COPY, "copy", 0)):
                done = large.in_a_process("export_worker", what, user, tmp_path / f"{what}.csv")
                assert done["lines"] == large.rows + header
                phases.add(name, done["seconds"])
                if what == "view":
                    peaks.append(done["peak_kb"] / 1024)
        _check(tmp_path / "view.csv")
    print(f"\n\nCSV export of {large.rows:,} DERs, {len(DER_EXPORT)} columns, as the regulator\n{phases.table(large.rows)}")
    print(verdict("export through the view against COPY TO (rows/s)", phases.median(COPY) / phases.median(VIEW), floor=0.4))
    print(verdict("peak memory of the exporting process, MB", max(peaks), ceiling=200))


def _check(path) -> None:
    """The file has the columns of the declaration, and its first rows stand in the registry as it says."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        for _, row in zip(range(100), rows, strict=False):
            der = Der.objects.get(uuid=row["der_id"])
            assert (row["external_id"], row["nameplate_ac_kw"]) == (der.external_id, str(der.nameplate_ac_kw))
        assert rows.fieldnames == list(DER_EXPORT)
