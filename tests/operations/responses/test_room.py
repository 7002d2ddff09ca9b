"""Room that a utility grants after an outage: envelopes hold it until the outage is over. M8, O4."""

import numpy as np
import pytest

from moc.history import acting
from operations.envelopes import reports
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeRun
from operations.envelopes.services import computing, life, reacting
from operations.network.services import building
from operations.outages.services import ders
from operations.responses import services
from tests.factories.filings import store_in
from tests.factories.networks import current, der, ordered, points_of, rows
from tests.factories.readings import moment
from tests.factories.world import REASON
from tests.registry.aggregations.making import filed, made

pytestmark = pytest.mark.django_db


@pytest.fixture
def aggregation(world, settings, tmp_path):
    """Two members and a stranger, who is on the phase of the one that steps in, on a weak line, with a set in force today and tomorrow."""
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()
    computing._machine.cache_clear()
    feeder = world.feeders["edc"][0]
    points = points_of(feeder)[:4]
    with acting(None, REASON):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False, auto_publish=True)
        members = [der(world, points[n], external_id=name) for n, name in ((1, "OUT"), (0, "STEPS"))]
        der(world, points[3], external_id="OTHER", aggregator=world.aggregator2)
    current(world, feeder, rows(points, metres=60))
    life.publish(actor=None, run=ordered(world, feeder, days=0, hours=48))
    return filed(world, made(world, ders=members))


def carried_out(runs: list[EnvelopeRun]) -> list[EnvelopeRun]:
    for run in runs:
        computing.carry_out(run, lambda *args: None)
        run.refresh_from_db()
        reacting.publish_or_tell(run)
        run.refresh_from_db()
    return runs


def export(name: str) -> np.ndarray:
    """The last day of what a DER may export, kW."""
    point = EnvelopePoint.objects.get(der__external_id=name)
    return np.array(reports.limits_of([point])[point.pk][-1].max_kw[-24:])


def test_granted_room_is_in_the_envelopes_until_the_outage_is_over(world, aggregation):
    """Others behind the same line give it; a window that is computed for another reason keeps it; without it all is as it was."""
    filer, utility, one = world.user("aggregator", "filer"), world.user("edc", "administrator"), EnvelopePoint.objects
    before = {name: export(name) for name in ("STEPS", "OTHER")}
    told = {"kind": "outage", "cause": "forced", "starts_at": moment(5), "reason": "Inverter failed"}
    out = one.get(der__external_id="OUT").der
    (outage,) = ders.report(actor=filer, rows=[ders.Told(der=str(out.uuid), **told)]).taken
    response = services.choose(actor=filer, outage=outage, aggregation=aggregation, kind="room", reason="To keep the offer")
    carried_out(reacting.react())
    shared = {name: export(name) for name in before}
    assert services.follow() == [], "nothing is given before the utility's word"
    services.move(actor=utility, response=response, name="grant")
    (run,) = carried_out(services.follow())
    ((_, up, _, _, most),) = response.parts
    assert run.unchecked == 0 and list(run.room) == [str(one.get(der__external_id="STEPS").der_id)] and up > 0
    assert ((export("STEPS") >= most - 0.2) | (export("OTHER") <= 0.2)).all(), "all of it, or all that the line carries"
    assert export("STEPS").sum() > shared["STEPS"].sum() and export("OTHER").sum() < shared["OTHER"].sum()
    assert services.follow() == reacting.react() == []
    with acting(None, REASON):
        EnvelopePolicy.objects.update(v_max_pu="1.0495")
    (again,) = carried_out(reacting.react())
    assert again.room == run.room
    with acting(None, REASON):
        EnvelopePolicy.objects.update(v_max_pu="1.05")
    ders.move(actor=filer, outage=outage, name="end")
    assert services.end_over() == 1
    carried_out(services.follow())
    assert EnvelopeRun.objects.latest("pk").room == {} and reacting.react() == []
    assert all(np.allclose(export(name), before[name], atol=0.11) for name in before)
