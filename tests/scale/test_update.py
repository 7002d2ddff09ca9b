"""An update of a million records with history against the same update of the same table without triggers (figures, row 3).

It changes the large registry that other benchmarks read: pytest runs it last, by its file's name.
"""

from pathlib import Path

import pytest
from django.db.models import F

from moc.history import acting
from registry.ders.models import Der
from tests.scale import state
from tests.scale.figures import RUNS, Phases, verdict

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
RAW = (Path(__file__).parent / "raw.sql").read_text()
OURS, PLAIN = "update with history", "update of the same table without triggers"
NOTHING = "update that changes nothing, with history (once)"
UNTENDED = ("registry_der", "registry_historicalder", "raw_der")
Versions = Der.history.model


def test_an_update_of_all_with_history(small_and_large):
    large, phases = small_and_large[1], Phases()
    with large.entered(), large.superuser() as direct:
        direct.execute(RAW)
        direct.execute("INSERT INTO raw_derowner SELECT * FROM registry_derowner")
        direct.execute("INSERT INTO raw_der SELECT * FROM registry_der")
        direct.execute("VACUUM (ANALYZE) raw_der")
        for table in UNTENDED:  # nobody vacuums one of them in the middle
            direct.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        for turn in range(RUNS):
            for ours in (True, False) if turn % 2 else (False, True):
                direct.execute("CHECKPOINT")
                if ours:
                    _with_history(phases)
                else:
                    with phases(PLAIN):
                        direct.execute("UPDATE raw_der SET nameplate_dc_kw = nameplate_dc_kw + 1")
        _without_change(phases)
    print(f"\n\nUpdate of {large.rows:,} DERs\n{phases.table(large.rows)}")
    print(verdict("update with history against without (rows/s)", phases.median(PLAIN) / phases.median(OURS), floor=0.5))


def _with_history(phases: Phases) -> None:
    """Through the ORM as the app role; each row leaves a version."""
    before = Versions.objects.count()
    with phases(OURS), acting(None, state.REASON):
        rows = Der.objects.update(nameplate_dc_kw=F("nameplate_dc_kw") + 1)
    assert Versions.objects.count() - before == rows == Der.objects.count()


def _without_change(phases: Phases) -> None:
    """An update of all rows that changes none leaves no version."""
    before = Versions.objects.count()
    with phases(NOTHING), acting(None, state.REASON):
        Der.objects.update(nameplate_dc_kw=F("nameplate_dc_kw"))
    assert Versions.objects.count() == before
