"""Readings come in: good ones stand, bad ones are refused one by one, and nothing is stored twice or lost. M7, N9."""

import json
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from moc.access.policy import NotPermitted
from moc.history import acting
from operations.telemetry import rules
from operations.telemetry.models import DerState, Reading
from operations.telemetry.services import decoding, taking_in
from tests.factories.networks import der, points_of
from tests.factories.readings import as_csv, codes, moment, ndjson, reading, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def ders(world) -> list:
    """Two DERs of the first aggregator, one of the second: 10 kW of export and nameplate each."""
    points = points_of(world.feeders["edc"][0])
    parties = (world.aggregator, world.aggregator, world.aggregator2)
    with acting(None, "system: tests"):
        return [der(world, point, aggregator=party) for point, party in zip(points, parties, strict=False)]


@pytest.fixture
def filer(world):
    return world.user("aggregator", "filer")


def test_a_batch_is_stored_and_the_latest_is_known(filer, ders):
    """M7, N9: event and publication time, source and quality are kept; the state is that of the latest moment, whatever the order."""
    late, early = moment(1), moment(6)
    taken = sent(
        filer,
        reading(ders[0], at=late.isoformat(), p_kw=4.25, soc_percent=55, up_kw=1, down_kw=8, source="gateway", quality="estimated"),
        reading(ders[0], at=early.isoformat(), p_kw=1),
        reading(ders[1], operating="fault", interval_s=60),
    )
    assert (taken.received, taken.stored, taken.known, taken.refused) == (3, 3, 0, [])
    stored = Reading.objects.get(der=ders[0], event_at=late)
    assert (stored.p_kw, stored.soc_percent, stored.source, stored.quality, stored.published_at) == (4.25, 55, "gateway", "estimated", late)
    assert (stored.aggregator_id, stored.edc_id) == (ders[0].aggregator_id, ders[0].edc_id)
    state = DerState.objects.get(der=ders[0])
    assert (state.event_at, state.p_kw, state.readiness, state.stale_at) == (late, 4.25, "ready", late + timedelta(seconds=900))
    assert DerState.objects.get(der=ders[1]).readiness == "unavailable"


def test_the_same_batch_again_stores_nothing(filer, ders):
    """N9: idempotent by DER, moment and publication."""
    rows = [reading(each) for each in ders[:2]]
    assert (sent(filer, *rows).stored, sent(filer, *rows).stored) == (2, 0)
    again = sent(filer, *rows, reading(ders[0], at=moment(9).isoformat()))
    assert (again.stored, again.known, again.refused) == (1, 2, []) and Reading.objects.count() == 3


def test_a_correction_keeps_both(filer, ders):
    """N9: a later publication of the same moment is the state; another value under the same publication is refused."""
    at = moment(10)
    sent(filer, reading(ders[0], at=at.isoformat(), p_kw=2))
    wrong = sent(filer, reading(ders[0], at=at.isoformat(), p_kw=2.5))
    assert codes(wrong) == [(1, "TEL-CHANGED")] and (wrong.stored, wrong.known) == (0, 0)
    right = sent(filer, reading(ders[0], at=at.isoformat(), p_kw=2.5, published_at=moment(1).isoformat()))
    assert right.stored == 1 and list(Reading.objects.order_by("published_at").values_list("p_kw", flat=True)) == [2, 2.5]
    assert DerState.objects.get(der=ders[0]).p_kw == 2.5


def test_new_late_repeated_and_corrected_readings_in_one_batch(filer, ders):
    """N9: what moves a state, and what does not, are stored once each, whichever comes first in the batch."""
    known, newer = moment(20), moment(5)
    sent(filer, reading(ders[0], at=known.isoformat(), p_kw=2))
    new = reading(ders[0], at=newer.isoformat(), p_kw=3)
    corrected = reading(ders[0], at=known.isoformat(), p_kw=2.5, published_at=moment(1).isoformat())
    late, repeated = reading(ders[0], at=moment(40).isoformat()), reading(ders[0], at=known.isoformat(), p_kw=2)
    taken = sent(filer, late, new, repeated, new, new | {"p_kw": 4}, corrected, reading(ders[1]))
    assert (taken.stored, taken.known, codes(taken)) == (4, 2, [(5, "TEL-CHANGED")])
    told = Reading.objects.filter(der=ders[0]).order_by("event_at", "published_at").values_list("event_at", "p_kw")
    assert list(told)[1:] == [(known, 2), (known, 2.5), (newer, 3)] and Reading.objects.count() == 5
    assert DerState.objects.get(der=ders[0]).p_kw == 3


def test_bad_readings_are_refused_one_by_one(world, filer, ders):
    """N9: each for its own reason, while the good ones of the same batch stand."""
    ahead, long_ago = timezone.now() + timedelta(minutes=10), timezone.now() - timedelta(days=500)
    bad = {
        "TEL-DER": [reading(ders[2]), reading(ders[0], der="5f6b3a52-6f0e-4d0a-9a57-0c1f1d1b7c11"), reading(ders[0], der="D-1")],
        "TEL-FUTURE": [reading(ders[0], at=ahead.isoformat())],
        "TEL-OLD": [reading(ders[0], at=long_ago.isoformat())],
        "TEL-TIME": [reading(ders[0], at="2026-07-01T12:00:00"), reading(ders[0], at=5), reading(ders[0], published_at="soon")],
        "TEL-PUBLISHED": [reading(ders[0], published_at=moment(30).isoformat())],
        "TEL-NUMBER": [reading(ders[0], p_kw=value) for value in (None, float("nan"), float("inf"), "much", True, [1], "1_0")],
        "TEL-RANGE": [reading(ders[0], p_kw=14), reading(ders[0], p_kw=-14), reading(ders[0], soc_percent=101), reading(ders[0], up_kw=-1)],
        "TEL-UNIT": [reading(ders[0], unit="MW")],
        "TEL-CHOICE": [reading(ders[0], source="rumour"), reading(ders[0], quality=["good"]), reading(ders[0], operating={"on": 1})],
        "TEL-FORM": [7, None, [], {"p_kw": 1}, reading(ders[0], colour="red")],
    }
    rows = [(code, row) for code, each in bad.items() for row in each]
    good = reading(ders[1])
    taken = sent(filer, *(row for _, row in rows), good, good | {"p_kw": 1})
    number = len(rows) + 2
    assert codes(taken) == [*((n, code) for n, (code, _) in enumerate(rows, 1)), (number, "TEL-CHANGED")]
    assert (taken.received, taken.stored, taken.refused_count) == (number, 1, number - 1)
    assert Reading.objects.get().der == ders[1] and DerState.objects.count() == 1
    own = {name for name in vars(rules) if name.isupper()}
    assert own == {"FORM", "TIME", "NUMBER", "UNIT", "CHOICE", "DER", "SUBJECT", "FUTURE", "OLD", "PUBLISHED", "RANGE", "CHANGED"}


def test_who_sends_for_whom(world, ders):
    """N3: aggregators for their DERs, utilities for those on their grid, others for none."""
    assert sent(world.user("edc", "administrator"), *map(reading, ders)).stored == 3
    assert codes(sent(world.user("edc2", "administrator"), reading(ders[0]))) == [(1, "TEL-DER")]
    assert codes(sent(world.user("aggregator2", "administrator"), reading(ders[0]))) == [(1, "TEL-DER")]
    assert codes(sent(world.user("tso", "administrator"), reading(ders[0]))) == [(1, "TEL-DER")]
    for kind, role in (("tso", "viewer"), ("rerra", "administrator"), ("aggregator", "viewer")):
        with pytest.raises(NotPermitted):
            sent(world.user(kind, role), reading(ders[0]))


def test_all_three_forms_say_the_same(filer, ders):
    """N9: JSON, NDJSON and CSV."""
    rows = [reading(ders[0], at=moment(n).isoformat(), soc_percent=50.5) for n in range(1, 4)]
    bodies = {"a.json": json.dumps(rows), "b.json": json.dumps({"rows": rows}), "c.ndjson": ndjson(rows), "d.csv": as_csv(rows)}
    for n, (name, content) in enumerate(bodies.items()):
        taken = taking_in.take_in(actor=filer, name=name, content=content if isinstance(content, bytes) else content.encode())
        assert (taken.received, taken.stored, taken.known, taken.refused) == (3, 0 if n else 3, 3 if n else 0, [])


def test_a_row_that_is_broken_harms_no_other(filer, ders):
    """N9: a line that is no JSON, and a row of CSV with a cell too many."""
    good = json.dumps(reading(ders[0]))
    taken = taking_in.take_in(actor=filer, name="a.ndjson", content=f"{{oops\n{good}\n".encode())
    assert (codes(taken), taken.stored) == ([(1, "TEL-FORM")], 1)
    text = as_csv([reading(ders[1])]).decode() + "too,few\n"
    taken = taking_in.take_in(actor=filer, name="a.csv", content=text.encode())
    assert (codes(taken), taken.stored) == ([(2, "TEL-FORM")], 1)


@pytest.mark.parametrize(
    "name, content, said",
    [
        ("a.json", b"{oops", "no JSON"),
        ("a.json", b'{"readings": []}', "no array"),
        ("a.json", b"[" * 100_000, "no JSON"),
        ("a.json", b"\xff\xfe", "not UTF-8"),
        ("a.csv", b"der,at,p_kw,colour\n", "no column 'colour'"),
        ("a.csv", b"at,p_kw\n", "nothing that"),
        ("a.csv", b"der,der\n", "twice"),
        ("a.ndjson", b"1\n" * 100_001, "at most 100,000"),
    ],
)
def test_a_body_of_which_no_rows_can_be_read(filer, name, content, said):
    with pytest.raises(decoding.Unreadable, match=said):
        taking_in.take_in(actor=filer, name=name, content=content)


def test_readings_are_never_changed(filer, ders):
    """N9: not by the app, not in a partition; a month has one partition, and a partition is no way round the second line."""
    sent(filer, reading(ders[0]))
    partition = f"operations_reading_{moment():%Y_%m}"
    for table in ("operations_reading", partition):
        for statement in (f"UPDATE {table} SET p_kw = 0", f"DELETE FROM {table}"):
            with pytest.raises(DatabaseError, match="refused|denied"), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity FROM pg_class WHERE relname = %s", [partition])
        assert cursor.fetchone() == (True,)
        cursor.execute("SELECT operations_reading_month(%s)", [moment().date()])
        assert cursor.fetchone() == (False,)
    with pytest.raises(DatabaseError, match="not taken"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT operations_reading_month('1999-01-01')")


def test_what_was_not_heard_of_for_three_intervals_is_stale(filer, ders):
    """M7: each after its own interval."""
    sent(filer, reading(ders[0], at=moment(4).isoformat(), interval_s=60), reading(ders[1], at=moment(4).isoformat(), interval_s=300))
    found = {state.der_id: state.readiness for state in DerState.objects.all()}
    assert found == {ders[0].pk: "stale", ders[1].pk: "ready"}
    assert [each.der_id for each in DerState.objects.with_readiness("stale")] == [ders[0].pk]
    assert [each.der_id for each in DerState.objects.with_readiness("ready")] == [ders[1].pk]
