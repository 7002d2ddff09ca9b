"""The whole registry at a past instant as Parquet against COPY TO of the current table, and its memory (issue: figures)."""

import io
import json
import zipfile

import pytest
from pyarrow import parquet

from moc import sight
from moc.seals import services as seals
from tests.scale.figures import RUNS, Phases, verdict
from tests.scale.sites import BETWEEN

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
SNAPSHOT, COPY = "snapshot of the whole registry as Parquet", "COPY TO of the current table"
DERS = "tables/registry_der.parquet"


def test_a_snapshot_is_near_to_copy(small_and_large, tmp_path):
    """N4: as of a moment between versions of each DER; the DERs in the file are those of then, each 0.1 kW a version below now."""
    large, phases, peaks = small_and_large[1], Phases(), []
    with large.entered():
        with sight.engine():
            seals.seal()
        user = large.users["regulator"].pk
        for _ in range(RUNS):
            for name, what in ((SNAPSHOT, "snapshot"), (COPY, "copy")):
                done = large.in_a_process("snapshot_worker", what, user, BETWEEN.isoformat(), tmp_path / what)
                assert done["rows"] >= large.rows
                phases.add(name, done["seconds"])
                if what == "snapshot":
                    peaks.append(done["peak_kb"] / 1024)
    with zipfile.ZipFile(tmp_path / "snapshot") as archive:
        assert json.loads(archive.read("manifest.json"))["as_recorded_at"] == BETWEEN.isoformat()
        ders = parquet.ParquetFile(io.BytesIO(archive.read(DERS)))
        assert ders.metadata.num_rows == large.rows
        firmware = set(next(ders.iter_batches(columns=["firmware"]))["firmware"].to_pylist())
        assert firmware == {"2.0"}, "the second version stood then"
    print(f"\n\nA snapshot of {large.rows:,} DERs, {len(ders.schema.names)} columns, as the regulator\n{phases.table(large.rows)}")
    print(verdict("snapshot / COPY TO", phases.median(SNAPSHOT) / phases.median(COPY), ceiling=4))
    print(verdict("peak memory of the snapshot's process, MB", max(peaks), ceiling=500))
