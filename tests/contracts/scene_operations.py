"""What the scene holds of operations: a network to approve, a current one with envelopes that were published, and a run to publish."""

from decimal import Decimal

from django.db import models
from django.utils import timezone

from operations.coordination.models import InterfaceResult, LineEvent, MonitoredLine
from operations.coordination.services import deliverability, limits, line_events, ordering
from operations.deferral.models import TransformerAlarm
from operations.envelopes.models import EnvelopePolicy
from operations.envelopes.services import life
from operations.forecasts.models import MeterDay
from operations.forecasts.services import publishing, storing
from operations.forecasts.services.reading import Interval
from operations.hosting.services import computing as hosting_maps
from operations.hosting.services import ordering as hosting_orders
from operations.interconnection.models import InterconnectionStudy
from operations.interconnection.services import ordering as ordering_studies
from operations.interconnection.services import reading_back, studying
from operations.outages.models import GridEvent
from operations.outages.services import ders, events
from operations.outcomes.services import making
from operations.reliability.models import ReliabilityFinding
from operations.responses.models import OutageResponse
from operations.screening.models import ReviewScreen, ScreenFinding
from operations.telemetry.models import SubjectReading, SubjectState, TelemetryCheck
from registry.ders.models import Der
from registry.grid.models import Feeder, Transformer
from registry.submissions.models import StagedDer
from tests.factories.networks import current, der, midnight, ordered, points_of, rows, written
from tests.factories.readings import moment, reading, sent
from tests.factories.world import World


def objects(world: World) -> dict[str, models.Model]:
    """Of the utility "edc": feeder F1 with envelopes for a DER of the first aggregator, feeder F2 with a checked network."""
    first, second = world.feeders["edc"]
    policy = EnvelopePolicy.objects.create(edc=world.edc, feeder=first, method="proportional", robust=False)
    points = points_of(first)
    limited = der(world, points[-1], external_id="E-1")
    current(world, first, rows(points[:3] + points[-1:]))
    published = ordered(world, first, hours=2)
    life.publish(actor=world.user("edc", "administrator"), run=published)
    head = {"feeder": limited.feeder.code, "edc": "edc", "at": moment().isoformat(), "p_kw": -120}
    sent(world.user("edc", "administrator"), reading(limited), head)
    counts = {"cadence_s": 300, "owed": 288, "delivered": 1, "late": 0, "incomplete": 0, "compared": 0, "differing": 0}
    parties = {"aggregator": limited.aggregator, "edc": world.edc, "checked_at": moment()}
    checked = TelemetryCheck.objects.create(day=timezone.localdate(), der=limited, **parties, **counts)
    metered(first)
    staged = written(world, second, rows([*points_of(second)[:2], "unknown"]))
    return {
        "envelope_policy": policy,
        "limited": limited,
        "network": staged,
        "network_element": staged.networkelements.first(),
        "network_point": staged.networkpoints.first(),
        "network_finding": staged.networkfindings.first(),
        "network_arrays": staged.networkarrayss.first(),
        "envelope": limited.envelope,
        "envelope_outcome": making.make(published.pk, published.ends_at)[0],
        "taken_reading": limited.readings.get(),
        "subject_reading": SubjectReading.objects.get(feeder=limited.feeder),
        "telemetry_check": checked,
        "meter_day": MeterDay.objects.get(),
        "forecast": publishing.publish(first, timezone.localdate()),
        "subject_state": SubjectState.objects.get(feeder=limited.feeder),
        "der_state": limited.state,
        **outages(world, first, limited),
        "envelope_block": published.blocks.first(),
        "envelope_receipt": published.receipts.get(),
        "envelope_run": ordered(world, first, days=2, hours=2),
    }


def outages(world: World, feeder: Feeder, limited: Der) -> dict[str, models.Model]:
    """The DER is out, and its feeder is switched."""
    told = ders.Told(der=str(limited.uuid), kind="outage", cause="forced", starts_at=moment(5), reason="Inverter failed")
    outage = ders.report(actor=world.user("aggregator", "filer"), rows=[told]).taken[0]
    told = GridEvent(kind="switching", feeder=feeder, starts_at=moment(4), reason="Maintenance")
    event = events.report(actor=world.user("edc", "administrator"), event=told)
    return {
        "outage": outage,
        "grid_event": event,
        "touched_der": event.touched.get(der=limited),
        "operational_log": outage.log.get(),
    }


def metered(feeder: Feeder) -> None:
    """An hour of one meter, behind a transformer."""
    meter = feeder.service_points.order_by("usage_point_id").first()
    meter.transformer = Transformer.objects.create(edc=feeder.edc, feeder=feeder, code="T-9", rated_kva=10)
    meter.save()
    interval = Interval(meter.usage_point_id, moment(60 * 48).replace(minute=0, second=0), 60, -1.0)
    storing.store(actor=None, edc=feeder.edc, intervals=[interval], source="ami")


def found(der: Der) -> ReliabilityFinding:
    """The DER injected more than its envelope left."""
    facts = {"first_at": moment(9), "last_at": moment(9), "count": 1, "evidence": [[moment(9).isoformat(), 9.0, 3.0, "kW injected"]]}
    return ReliabilityFinding.objects.create(der=der, aggregator=der.aggregator, edc=der.edc, rule="limit", **facts)


def alarmed(objects: dict[str, models.Model]) -> dict[str, models.Model]:
    """A transformer that the feeder's forecast takes above its rating."""
    forecast = objects["forecast"]
    transformer = Transformer.objects.get(pk=forecast.transformers[0])
    facts = {"starts_at": moment(), "ends_at": moment(-60), "rated_kva": 10, "peak_kw": 12, "over_kwh": 2, "day": forecast.day}
    parties = {"edc": forecast.edc, "feeder": forecast.feeder, "transformer": transformer, "forecast": forecast}
    return {"alarm": TransformerAlarm.objects.create(**parties, **facts)}


def connected(world: World, objects: dict[str, models.Model]) -> dict[str, models.Model]:
    """A study of the DER that the open row files, behind the feeder with envelopes, and settings of one there that were read back."""
    feeder, point = objects["limited"].feeder, objects["row"].service_point
    facts = {"title": "Elm Street", "technology": "photovoltaic", "rated_kw": Decimal(5), "rated_kva": Decimal(5)}
    study = ordering_studies.order(actor=world.user("edc", "administrator"), feeder=feeder, service_point=point.usage_point_id, **facts)
    studying.carry_out(study, lambda *args: None)
    study.refresh_from_db()
    said = {"der": objects["limited"], "at": moment(30), "inverter_settings": {"max_w": 50}}
    told = reading_back.tell(actor=world.user("aggregator", "filer"), **said)
    return {"interconnection": study, "settings_readback": told} | hosted(world) | screened(study, objects["row"])


def hosted(world: World) -> dict[str, models.Model]:
    """What the nodes of the feeder with envelopes can host."""
    (found,) = [each for each in hosting_orders.due() if each.feeder == world.feeders["edc"][0]]
    hosting_maps.carry_out(found, lambda *args: None)
    found.refresh_from_db()
    return {"hosting_map": found, "hosting_node": found.nodes.order_by("pk").first()}


def screened(study: InterconnectionStudy, row: StagedDer) -> dict[str, models.Model]:
    """A screen of the row's review, which limits the row."""
    review = row.submission.reviews.get()
    facts = {"computed_at": moment(), "topology_hash": study.topology_hash, "row_count": 3, "short_count": 1}
    screen = ReviewScreen(review=review, edc=study.edc, feeder=study.feeder, network=study.network, **facts)
    screen.save()
    ReviewScreen.objects.filter(pk=screen.pk).update(status="done")
    screen.refresh_from_db()
    said = {
        "direction": "export",
        "filed_kw": 5,
        "limit_kw": 3,
        "month": 6,
        "hour": 12,
        "binds": "voltage",
        "review": review,
        "feeder_code": "F1",
    }
    parties = {"aggregator": row.aggregator, "edc": study.edc}
    return {"review_screen": screen, "screen_finding": ScreenFinding.objects.create(screen=screen, row=row, **parties, **said)}


def coordinated(world: World) -> dict[str, models.Model]:
    """An interface with limits, a line that is watched, and a run of what can be delivered."""
    interface = world.feeders["edc"][0].substation.td_interface
    actor = world.user("tso", "administrator")
    limit = limits.set_limit(actor=actor, interface=interface, import_kw=1000, export_kw=100, source="Study")
    factors = {f"{world.edc.slug}/{interface.code}": 0.2}
    line = limits.set_line(actor=actor, tso=world.tso, code="L-1", flow_kw=10, limit_kw=20, factors=factors)
    run = ordering.order(actor=actor, tso=world.tso, at=midnight())
    deliverability.carry_out(run, lambda *args: None)
    run.refresh_from_db()
    result = InterfaceResult.objects.get(run=run, td_interface=interface)
    return {"interface_limit": limit, "monitored_line": line, "deliverability_run": run, "interface_result": result, **_lines(actor, line)}


def _lines(actor, line: MonitoredLine) -> dict[str, models.Model]:
    """The line is out."""
    event = line_events.report(actor=actor, event=LineEvent(line=line, kind="outage", starts_at=moment(4), reason="A tower fell"))
    return {"line_event": event, "line_touched": event.touched.get(aggregator__isnull=False)}


def answered(world: World, objects: dict[str, models.Model]) -> dict[str, models.Model]:
    """The DER of the filed aggregation will be out; the utility was asked for room."""
    told = ders.Told(der=str(objects["der"].uuid), kind="outage", cause="planned", starts_at=moment(-600), reason="Roof works")
    outage = ders.report(actor=world.user("aggregator", "filer"), rows=[told]).taken[0]
    effects = dict.fromkeys(("lost_up_kw", "lost_down_kw", "regained_up_kw", "regained_down_kw", "least_kw", "most_kw"), 1.0)
    parties = {"aggregator": world.aggregator, "edc": world.edc, "tso": world.tso, "aggregation": objects["aggregation"]}
    response = OutageResponse.objects.create(outage=outage, kind="room", status="asked", **parties, **effects)
    return {"answered_outage": outage, "outage_response": response, "reliability": found(objects["limited"])}
