"""Readings of what is no DER (aggregations, feeders, transformers, T-D interfaces), and of DERs by agents. M7, N9, O1."""

import json

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from moc.history import acting
from operations.telemetry.models import DerState, SubjectReading, SubjectState
from operations.telemetry.services import columns, decoding
from operations.telemetry.services.taking_in import take_in
from registry.aggregations.models import Aggregation
from registry.grid.models import TdInterface, Transformer
from tests.factories.networks import der, points_of
from tests.factories.readings import as_csv, codes, moment, ndjson, reading, sent
from tests.registry.aggregations.making import made

pytestmark = pytest.mark.django_db


@pytest.fixture
def aggregation(world) -> Aggregation:
    """Filed; the second aggregator dispatches it, and its utility reads its meters."""
    with acting(None, "system: tests"):
        members = [der(world, point) for point in points_of(world.feeders["edc"][0])[:2]]
    found = made(world, ders=members, dispatch_agent=world.aggregator2, meter_reader=world.edc2)
    with acting(None, "system: tests"):
        Aggregation.objects.filter(pk=found.pk).update(status="submitted", submitted_at=timezone.now())
    found.refresh_from_db()
    return found


def of(**subject) -> dict:
    return {"at": moment().isoformat(), "p_kw": -2.5, **subject}


def test_each_for_its_own(world, aggregation):
    """N3: an aggregation's aggregator and agents, a utility its grid, an RTO its interfaces; and nobody what is another's."""
    feeder, transformer = world.feeders["edc"][0], Transformer.objects.filter(edc=world.edc).first()
    interface = TdInterface.objects.get(edc=world.edc)
    rows = [of(aggregation=str(aggregation.uuid)), of(feeder=feeder.code, edc="edc"), of(transformer=transformer.code, edc="edc")]
    rows.append(of(td_interface=interface.code, edc="edc", voltage_pu=1.01))
    expected = {
        ("aggregator", "filer"): [True, False, False, False],
        ("aggregator2", "filer"): [True, False, False, False],
        ("edc2", "administrator"): [True, False, False, False],
        ("edc", "administrator"): [False, True, True, True],
        ("tso", "administrator"): [False, False, False, True],
        ("tso2", "administrator"): [False, False, False, False],
    }
    for who, may in expected.items():
        taken = sent(world.user(*who), *rows)
        assert codes(taken) == [(n, "TEL-SUBJECT") for n, allowed in enumerate(may, 1) if not allowed], who
    assert SubjectReading.objects.count() == 4 and SubjectState.objects.count() == 4
    assert {state.subject for state in SubjectState.objects.all()} == {aggregation, feeder, transformer, interface}
    assert SubjectState.objects.get(td_interface=interface).tso_id == world.tso.pk


def test_agents_send_for_members(world, aggregation):
    """N3: the dispatch agent and the meter reader of an aggregation send for its members, and for no other DER of the aggregator."""
    member = aggregation.members.first().der
    with acting(None, "system: tests"):
        other = der(world, points_of(world.feeders["edc"][0])[2])
    for who in (("aggregator2", "filer"), ("edc2", "administrator")):
        assert codes(sent(world.user(*who), reading(member), reading(other))) == [(2, "TEL-DER")]
    assert DerState.objects.get().der == member


def test_subjects_are_idempotent_and_corrected(world):
    """N9: known by subject, moment and publication; both publications of a moment are kept, the later one is the state."""
    utility, feeder = world.user("edc", "administrator"), world.feeders["edc"][0]
    at = moment(10).isoformat()
    row = of(feeder=feeder.code, edc="edc") | {"at": at}
    assert [sent(utility, row).stored, sent(utility, row).known] == [1, 1]
    assert codes(sent(utility, row | {"p_kw": -3})) == [(1, "TEL-CHANGED")]
    assert sent(utility, row | {"p_kw": -3, "published_at": moment(1).isoformat()}).stored == 1
    assert sorted(SubjectReading.objects.values_list("p_kw", flat=True)) == [-3, -2.5]
    assert SubjectState.objects.get().p_kw == -3


def test_bad_readings_of_subjects(world):
    """N9: of nothing, of two things, with a column of DERs, beyond what a transformer carries, of an unknown name."""
    transformer = Transformer.objects.filter(edc=world.edc).exclude(rated_kva=None).first()
    rows = [
        (of(), "TEL-FORM"),
        (of(feeder="F1", transformer="T1"), "TEL-FORM"),
        (of(feeder="F1", soc_percent=3), "TEL-FORM"),
        (of(feeder='F1"', edc="edc"), "TEL-SUBJECT"),
        (of(aggregation="F1"), "TEL-SUBJECT"),
        (of(feeder="F1", edc="edc2"), "TEL-SUBJECT"),
        (of(transformer=transformer.code, edc="edc") | {"p_kw": float(transformer.rated_kva) * 3.1}, "TEL-RANGE"),
        (of(feeder="F1", edc="edc", voltage_pu=3), "TEL-RANGE"),
        (of(feeder="F1", at="today"), "TEL-TIME"),
        (of(feeder="F1", at=moment(-10).isoformat()), "TEL-FUTURE"),
    ]
    taken = sent(world.user("edc", "administrator"), *(row for row, _ in rows))
    assert codes(taken) == [(n, code) for n, (_, code) in enumerate(rows, 1)] and not SubjectReading.objects.exists()


def test_one_batch_of_everything(world, aggregation):
    """N9: DERs and other subjects stand in one file, each with its own columns."""
    member = aggregation.members.first().der
    rows = [reading(member, soc_percent=40), of(aggregation=str(aggregation.uuid), up_kw=3)]
    taken = take_in(actor=world.user("aggregator", "filer"), name="a.csv", content=as_csv(rows))
    assert (taken.received, taken.stored, taken.refused) == (2, 2, [])
    assert SubjectState.objects.get().up_kw == 3 and DerState.objects.get().soc_percent == 40


def test_readings_of_subjects_are_never_changed(world):
    """N9: as those of DERs."""
    sent(world.user("edc", "administrator"), of(feeder="F1", edc="edc"))
    for table in ("operations_subjectreading", f"operations_subjectreading_{moment():%Y_%m}"):
        with pytest.raises(DatabaseError, match="refused|denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {table}")


PLAIN = {"der": "5F6b3a52-6f0e-4d0a-9a57-0c1f1d1b7c11", "at": "2026-07-01T12:00:00.5+05:30", "p_kw": 1}
FULL = PLAIN | {"published_at": "2026-07-01T12:00:00Z", "source": "meter", "quality": "estimated", "operating": "off", "unit": "kW"}
FULL |= {"q_kvar": -0.1, "soc_percent": 50, "up_kw": 1e3, "down_kw": None, "interval_s": 4.0}


def staged(block) -> list[tuple]:
    """What binary COPY makes of a block."""
    kinds = "row_number integer, der uuid, event_at timestamptz, published_at timestamptz, source smallint, quality smallint, "
    kinds += "operating smallint, p_kw float8, q_kvar float8, soc_percent float8, up_kw float8, down_kw float8, interval_s integer"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS both_ways ({kinds}); TRUNCATE both_ways")
        binary = hasattr(block, "content")
        names = block.columns if binary else decoding.DER_COLUMNS
        with cursor.copy(f"COPY both_ways ({','.join(names)}) FROM STDIN (FORMAT {'binary' if binary else 'csv'})") as copy:
            copy.write(block.content if binary else "".join(block.ders))
        cursor.execute("SELECT * FROM both_ways ORDER BY row_number")
        return cursor.fetchall()


@pytest.mark.parametrize("rows", [[PLAIN], [FULL, PLAIN], [PLAIN, FULL, PLAIN | {"soc_percent": 7}]])
def test_the_short_way_says_the_same(db, rows):
    """N9: of every form, by columns as row by row."""
    bodies = {"a.json": json.dumps(rows, indent=1).encode(), "a.ndjson": ndjson(rows), "a.csv": as_csv(rows)}
    for name, content in bodies.items():
        block = columns.read(name, content, 100)
        assert block and block.rows == len(rows), name
        assert staged(block) == staged(decoding.decode(decoding.rows_of(name, content))), name


@pytest.mark.parametrize(
    "row",
    [
        {"p_kw": None},
        {"p_kw": "1"},
        {"p_kw": float("nan")},
        {"p_kw": 1e9},
        {"at": "2026-07-01T12:00:00"},
        {"at": None},
        {"der": "5f6b3a52-6f0e-4d0a-9a57-0c1f1d1b7c1g"},
        {"der": "5f6b3a5206f0e-4d0a-9a57-0c1f1d1b7c11"},
        {"der": "},{"},
        {"source": "rumour"},
        {"operating": ""},
        {"unit": "MW"},
        {"interval_s": 0},
        {"colour": "red"},
        {"feeder": "F1"},
    ],
)
def test_anything_else_takes_the_long_way(row):
    """N9: one row that is no plain reading of a DER, and the batch is read row by row."""
    rows = [PLAIN, PLAIN | row]
    assert columns.read("a.ndjson", ndjson(rows), 100) is None
    assert columns.read("a.json", json.dumps(rows).encode(), 100) is None


def test_bodies_that_take_the_long_way():
    """N9: two objects on a line, an envelope, a nested array, too many rows, nothing."""
    line = json.dumps(PLAIN)
    for name, text in (
        ("a.ndjson", line + line),
        ("a.ndjson", f"{line}\n\n{line}"),
        ("a.json", json.dumps({"rows": [PLAIN]})),
        ("a.json", json.dumps([PLAIN, [PLAIN]])),
        ("a.json", "[]"),
        ("a.csv", "der,der\n1,2\n"),
        ("a.csv", "der,at,p_kw\n1,2\n"),
        ("a.csv", ""),
    ):
        assert columns.read(name, text.encode(), 100) is None, text
    assert columns.read("a.ndjson", ndjson([PLAIN] * 101), 100) is None
