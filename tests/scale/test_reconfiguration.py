"""A reconfiguration of 50,000 service points with all consequences against a plain update of the same rows (figures, row 3)."""

import os
from datetime import date, timedelta

import pytest
from django.db import connection

from moc.history import acting
from registry.ders.models import Der
from registry.grid.models import ServicePoint
from registry.reconfigurations.models import FormerConnection
from registry.reconfigurations.services import acts
from tests.factories.ders import register
from tests.factories.world import REASON
from tests.scale.figures import RUNS, Phases, verdict

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
POINTS = int(os.environ.get("BENCH_POINTS", "50000"))
OURS, PLAIN = "reconfiguration with its preview and consequences", "plain update of the same points and DERs"
FILL = """
    INSERT INTO registry_servicepoint (edc_id, usage_point_id, feeder_id, zip_code, address, phases_available)
    SELECT %s, 'SP-' || i, %s, '', '', 1 FROM generate_series(1, %s) AS i
"""


def test_a_reconfiguration_against_a_plain_update(world):
    """R3: both leave history; the plain one is two statements, without connections kept, consequences told or anything checked."""
    first, second = world.feeders["edc"]
    with acting(None, REASON), connection.cursor() as cursor:
        cursor.execute(FILL, [world.edc.pk, first.pk, POINTS])
    world.service_points["edc"] = list(ServicePoint.objects.filter(usage_point_id__startswith="SP-").select_related("feeder"))
    register(world, POINTS, retail_programs=[])
    phases, manager = Phases(), world.user("edc", "administrator")
    moved = ServicePoint.objects.filter(usage_point_id__startswith="SP-")
    for run in range(RUNS):
        with phases(OURS):
            said = {"edc": world.edc, "reason": "Bench", "starts_on": date(2026, 1, 1) + timedelta(days=run)}
            made = acts.prepare(actor=manager, from_feeder=first, to_feeder=second, **said)
            acts.carry_out(actor=manager, reconfiguration=made)
        assert moved.filter(feeder=second).count() == Der.objects.filter(feeder=second).count() == POINTS
        with phases(PLAIN), acting(None, REASON):
            moved.update(feeder=first)
            Der.objects.filter(service_point__in=moved).update(feeder=first)
    assert FormerConnection.objects.filter(service_point__in=moved).count() == POINTS * RUNS
    print(f"\n\nReconfiguration of {POINTS:,} service points with as many DERs\n{phases.table(POINTS)}")
    print(verdict("reconfiguration against plain update (rows/s)", phases.median(PLAIN) / phases.median(OURS), floor=0.25))
