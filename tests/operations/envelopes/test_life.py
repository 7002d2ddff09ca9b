"""Envelopes from order to acknowledgement, and what each party reads of them. O4."""

from datetime import timedelta

import numpy as np
import pytest

from moc.access.policy import NotPermitted
from moc.errors import UserError
from moc.history import acting
from moc.notices.models import Notice
from operations.envelopes import reports, tasks
from operations.envelopes.models import EnvelopePoint, EnvelopePolicy, EnvelopeReceipt, EnvelopeRun
from operations.envelopes.services import life
from operations.envelopes.solver import blocks
from operations.network.services import building
from operations.outages.models import DerOutage
from registry.ders.models import Der
from tests.factories.filings import store_in
from tests.factories.networks import current, der, midnight, ordered, points_of, rows

pytestmark = pytest.mark.django_db
Status = EnvelopeRun.Status


@pytest.fixture(autouse=True)
def _files(settings, tmp_path) -> None:
    store_in(settings, tmp_path)
    settings.VAR_DIR = tmp_path
    building._cached.cache_clear()


@pytest.fixture
def feeder(world):
    """A feeder with a current network and a DER at each of its first four points, of two aggregators."""
    feeder = world.feeders["edc"][0]
    current(world, feeder, rows(points_of(feeder), metres=60))
    with acting(None, "system: tests"):
        for n, point in enumerate(points_of(feeder)[:4]):
            der(world, point, aggregator=world.aggregator if n < 2 else world.aggregator2)
    return feeder


def published(world, feeder, **how) -> EnvelopeRun:
    run = ordered(world, feeder, **how)
    life.publish(actor=world.user("edc", "administrator"), run=run)
    run.refresh_from_db()
    return run


def sources(point: EnvelopePoint) -> list[str]:
    return [limits.source for limits in reports.limits_of([point])[point.pk]]


def test_a_run_is_computed_checked_published_and_read(world, feeder):
    """O4: blocks, not rows; the limits of each DER with their reasons; the set is numbered and hashed."""
    run = ordered(world, feeder)
    assert run.status == Status.EVALUATED and (run.point_count, run.unchecked) == (4, 0) and run.blocks.count() == 2
    assert set(run.price) == {"import", "export"} and 0 < run.price["export"]["least_share"] < 1
    life.publish(actor=world.user("edc", "administrator"), run=run)
    run.refresh_from_db()
    assert (run.status, run.number, len(run.content_hash)) == (Status.PUBLISHED, 1, 64)
    point = EnvelopePoint.objects.first()
    (limits,) = reports.limits_of([point])[point.pk]
    assert limits.source == reports.PUBLISHED and len(limits.max_kw) == 24
    assert all(-8 <= low <= 0 <= high <= 10 for low, high in zip(limits.min_kw, limits.max_kw))
    said = [each["why"] for each in reports.explained(limits)]
    assert any("shared with" in why or "no other point" in why for why in said)


def test_the_same_order_gives_the_same_run(world, feeder):
    """O4: idempotent by feeder, topology, window and policy; another policy is another run."""
    first = ordered(world, feeder)
    assert ordered(world, feeder) == first
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.create(edc=world.edc, method="proportional", robust=False)
    other = ordered(world, feeder)
    assert other != first and other.policy["method"] == "proportional"
    assert other.price["export"]["total_kw"] >= first.price["export"]["total_kw"] * 0.2


def test_a_newer_set_supersedes_and_tells_only_whom_it_changes(world, feeder, client_of):
    """O4: receipts and notices go to aggregators whose limits changed; a set in which nothing changed tells nobody."""
    first = published(world, feeder)
    assert {receipt.aggregator for receipt in first.receipts.all()} == {world.aggregator, world.aggregator2}
    assert Notice.objects.filter(event="envelopes_published").exists()
    target = EnvelopePoint.objects.filter(aggregator=world.aggregator).order_by("pk").first().der
    edited = life.edit(actor=world.user("edc", "administrator"), run=first, der=target, least_kw=-0.5, most_kw=0.5, reason="Repair")
    tasks.compute(edited.job_id)
    edited.refresh_from_db()
    life.publish(actor=world.user("edc", "administrator"), run=edited)
    first.refresh_from_db(), edited.refresh_from_db()
    assert (first.status, edited.status, edited.number) == (Status.SUPERSEDED, Status.PUBLISHED, 2)
    point = EnvelopePoint.objects.get(der=target)
    (limits,) = reports.limits_of([point])[point.pk]
    assert max(limits.max_kw) <= 0.5 and min(limits.min_kw) >= -0.5
    page = (
        client_of(world.user("aggregator", "filer")).get(f"/operations/envelopes/receipts/{first.receipts.first().uuid}/").content.decode()
    )
    assert "superseded" in page and "/operations/envelopes/?feeder=F1" in page
    assert world.aggregator in {receipt.aggregator for receipt in edited.receipts.all()}


def test_held_or_deactivated_the_limits_without_envelope_hold(world, feeder):
    """O4: a reason is owed; the static limits hold until the set is published again or replaced."""
    run, actor = published(world, feeder), world.user("edc", "administrator")
    with pytest.raises(UserError):
        life.hold(actor=actor, run=run, reason="")
    life.hold(actor=actor, run=run, reason="A crew is out")
    point = EnvelopePoint.objects.first()
    (limits,) = reports.limits_of([point])[point.pk]
    assert limits.source == reports.STATIC and set(limits.max_kw) == {1.5} and set(limits.min_kw) == {-5.0}
    run.refresh_from_db()
    life.publish(actor=actor, run=run)
    assert sources(point) == [reports.PUBLISHED]
    run.refresh_from_db()
    life.deactivate(actor=actor, run=run, reason="Wrong model")
    run.refresh_from_db()
    assert run.status == Status.DEACTIVATED and sources(point) == [reports.STATIC]
    told = Notice.objects.filter(event="envelopes_withdrawn", user=world.user("aggregator", "filer")).latest("pk")
    assert told.url == f"/operations/envelopes/receipts/{run.receipts.get(aggregator=world.aggregator).uuid}/"


def test_an_aggregator_acknowledges_its_own(world, feeder):
    """O4: the receipt; another aggregator neither sees nor acknowledges it."""
    published(world, feeder)
    receipt = EnvelopeReceipt.objects.get(aggregator=world.aggregator)
    with pytest.raises(NotPermitted):
        life.acknowledge(actor=world.user("aggregator2", "administrator"), receipt=receipt)
    life.acknowledge(actor=world.user("aggregator", "filer"), receipt=receipt)
    receipt.refresh_from_db()
    assert receipt.status == "acknowledged" and receipt.acknowledged_at


def test_each_party_reads_its_own_by_api(world, feeder, api_of):
    """O4: per point, aggregation and feeder; an aggregator reads the rows of its DERs out of blocks that hold everybody's."""
    published(world, feeder)
    seen = {
        name: api_of(world.user(name, "administrator")).get("/api/v1/operations/envelopes/?feeder=F1").json()["results"]
        for name in ("aggregator", "aggregator2", "edc", "edc2")
    }
    assert [len(rows) for rows in seen.values()] == [2, 2, 4, 0]
    one = seen["aggregator"][0]
    (limits,) = one["limits"]
    assert limits["source"] == "published" and len(limits["max_kw"]) == 24 and limits["reasons"][0]["why"]
    assert api_of(world.user("aggregator2", "administrator")).get(f"/api/v1/operations/envelopes/{one['id']}/").status_code == 404
    page = api_of(world.user("aggregator", "administrator")).get(f"/api/v1/operations/envelopes/{one['id']}/").json()
    assert page["limits"][0]["after_outage"] == {"import_kw": 2.0, "export_kw": 0.0}


def test_pages(world, feeder, client_of):
    """O4: the run with its price, the envelope with its reasons, the receipt."""
    run = published(world, feeder)
    utility, aggregator = client_of(world.user("edc", "administrator")), client_of(world.user("aggregator", "filer"))
    page = utility.get(f"/operations/envelopes/runs/{run.uuid}/").content.decode()
    assert "Jain" in page and "/operations/envelopes/?feeder=F1" in page
    (binds, *_), codes = reports.bindings_of(run), run.blocks.get(bound="min").names
    assert "What binds" in page and binds["what"] in page and 0 < binds["intervals"] <= 24
    assert binds["what"].removeprefix("Voltage at ") in {name.removeprefix("load.") for name, *_ in codes}
    point = EnvelopePoint.objects.filter(aggregator=world.aggregator).first()
    assert "export limit" in aggregator.get(f"/operations/envelopes/{point.pk}/").content.decode()
    assert "uPlot.iife.min.js" in aggregator.get(f"/operations/envelopes/{point.pk}/").content.decode()
    assert f"/operations/envelopes/{point.pk}/" in aggregator.get(f"/registry/ders/{point.der.uuid}/").content.decode()
    others = EnvelopePoint.objects.exclude(aggregator=world.aggregator).values_list("der__service_point__usage_point_id", flat=True)
    page = aggregator.get(f"/operations/envelopes/{point.pk}/").content.decode()
    assert not any(name.lower() in page.lower() for name in others), "no other customer is named"
    listed = aggregator.get("/operations/envelopes/").content.decode()
    assert (
        "Export now" in listed
        and "Runs" not in listed
        and "/operations/envelopes/runs/" in utility.get("/operations/envelopes/").content.decode()
    )
    lines = b"".join(aggregator.get("/operations/envelopes/export.csv").streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("der,feeder,service_point,source,set,starts_at") and len(lines) == 1 + 2 * 24
    assert lines[1].split(",")[3:5] == ["published", "1"] and float(lines[1].split(",")[8]) > 0
    receipt = EnvelopeReceipt.objects.get(aggregator=world.aggregator)
    assert "Acknowledge" in aggregator.get(f"/operations/envelopes/receipts/{receipt.uuid}/").content.decode()


def test_without_a_network_nothing_is_ordered(world):
    with pytest.raises(UserError, match="no current network"):
        life.order(actor=world.user("edc", "administrator"), feeder=world.feeders["edc"][1], starts_at=midnight(), hours=1, step_minutes=30)


def test_what_is_due_is_published_by_policy(world, feeder):
    """O4: what passes its check is published where the policy says so; today's set stays in force beside tomorrow's."""
    with acting(None, "system: tests"):
        EnvelopePolicy.objects.create(edc=world.edc, auto_publish=True, method="proportional", robust=False)
    for run in life.order_days(feeder):
        tasks.compute(run.job_id)
    runs = list(EnvelopeRun.objects.order_by("starts_at"))
    assert [run.status for run in runs] == [Status.PUBLISHED] * 2 and all(run.intervals == 48 for run in runs)
    point = EnvelopePoint.objects.first()
    assert [(limits.number, limits.starts_at) for limits in reports.limits_of([point])[point.pk]] == [(1, midnight(0)), (2, midnight(1))]
    life.hold(actor=world.user("edc", "administrator"), run=runs[1], reason="A crew is out")
    assert [limits.number for limits in reports.limits_of([point])[point.pk]] == [1, None]


def test_blocks_round_into_the_envelope_and_stay_small():
    """O4: never a tenth of a kW more than was computed; about 50 bytes a point and day and direction."""
    rng = np.random.default_rng(1)
    kw = 8 + np.cumsum(rng.normal(0, 0.1, (400, 288)), axis=1).clip(-5, 5)
    packed = blocks.pack(kw, blocks.unit_for(kw), upper=True)
    back = blocks.unpack(packed, *kw.shape, blocks.unit_for(kw))
    assert (back <= kw + 1e-6).all() and (kw - back).max() < 0.101 and len(packed) / 400 < 200
    low = blocks.unpack(blocks.pack(-kw, 0.1, upper=False), *kw.shape, 0.1)
    assert (low >= -kw - 1e-6).all()
    codes = rng.integers(-1, 5, (10, 24)).astype(np.int32)
    assert (blocks.unpack_codes(blocks.pack_codes(codes), 10, 24) == codes).all()


def test_a_resource_in_front_of_the_meter_has_an_envelope_as_any_other(world):
    """O1, O4: three phases at medium voltage; what binds a large one is the rating of the trunk (200 A at 12.47 kV), not its own size."""
    feeder = world.feeders["edc"][0]
    *homes, park = points_of(feeder)
    current(world, feeder, rows(homes) + f"point,{park},mid,,ABC,12.47,,,,,,,,0,0\n".encode())
    with acting(None, "system: tests"):
        der(world, homes[0])
        large = der(world, park, export=6_000, import_=0)
        Der.objects.filter(pk=large.pk).update(connection_kind="ftm")
    published(world, feeder, hours=1)
    limits, *_ = reports.limits_of([point := EnvelopePoint.objects.get(der=large)])[point.pk]
    assert limits.source == reports.PUBLISHED and 4_000 < limits.max_kw[0] < 4_500
    assert any("trunk" in each["why"] for each in reports.explained(limits))


def test_people_order_days_that_are_near(world, feeder):
    """O4: from today to two weeks ahead; what the day of an order is, is the state's day."""
    actor = world.user("edc", "administrator")
    for days in (-1, life.FURTHEST_DAYS + 1, -50_000):
        with pytest.raises(UserError, match="cannot be ordered") as refused:
            life.order(actor=actor, feeder=feeder, starts_at=midnight(days), hours=1, step_minutes=30)
        assert refused.value.code == "ENV-WINDOW" and "today" in refused.value.remedy
    assert life.order(actor=actor, feeder=feeder, starts_at=midnight(0), hours=1, step_minutes=30).pk


def test_no_two_sets_have_the_same_hash(world, feeder):
    """O4: what is acknowledged is the set of these hours, though another has the same limits."""
    today, tomorrow = (ordered(world, feeder, days=days) for days in (1, 2))
    limits = [[bytes(block.limits) for block in run.blocks.order_by("bound")] for run in (today, tomorrow)]
    assert limits[0] == limits[1] and life.content_hash(today) != life.content_hash(tomorrow)
    assert life.content_hash(today) == life.content_hash(EnvelopeRun.objects.get(pk=today.pk))


def test_a_der_that_is_out_is_told_so(world, feeder):
    """O4, M8: the reason of its limits is its outage, in the hours of that, and not the device."""
    target = Der.objects.filter(feeder=feeder).order_by("pk").first()
    said = {"kind": "outage", "cause": "planned", "status": "planned", "reason": "Inverter", "available_kw": 0}
    begins = midnight(1) + timedelta(hours=10)
    with acting(None, "system: tests"):
        DerOutage.objects.create(
            der=target, aggregator=target.aggregator, edc=target.edc, starts_at=begins, expected_until=begins + timedelta(hours=2), **said
        )
    run = published(world, feeder, days=1)
    assert run.situation
    (limits,) = (each for each in reports.limits_of([EnvelopePoint.objects.get(der=target)])[target.envelope.pk] if each.number)
    rows = [row for row in reports.explained(limits) if row["kind"] == "outage"]
    assert {row["bound"] for row in rows} == {"import", "export"} and all(row["most"] == 0 for row in rows)
    assert {(row["since"], row["until"]) for row in rows} == {(begins, begins + timedelta(hours=2))} and "out or derated" in rows[0]["why"]
