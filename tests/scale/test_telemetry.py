"""Readings over HTTP (figures, section 9), against COPY of the same rows into a table like theirs, batch by batch and in turns.

"stored" is a batch decoded, and copied into the table of readings with its two indexes; "whole" is the API with its token: ownership,
ranges, idempotence and the latest states too. Each batch holds one moment of BATCH of the DERS; states are updated, not only made.
COPY goes into a table partitioned by month like theirs, with the key by which a reading is known: what every store of readings needs.
Beside it, for whoever asks what the key costs, COPY into a table that has none.
"""

import json
from statistics import median
from time import perf_counter

import pytest
from django.db import connection, transaction
from django.utils import timezone

from moc import sight
from moc.bulk import analyze, copy_in
from moc.history import acting
from operations.telemetry.models import DerState, Reading
from operations.telemetry.services import columns, decoding
from registry.ders.models import Der
from tests.database import as_owner
from tests.factories.readings import as_csv, moment, ndjson
from tests.scale.figures import verdict

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
DERS, BATCH, ROUNDS = 20_000, 10_000, 5
SEND = "/api/v1/operations/telemetry/"
PLAIN = """
    CREATE TABLE bench_heap AS SELECT der_id, event_at, published_at, source, quality, operating, p_kw, q_kvar, soc_percent, up_kw, down_kw
        FROM operations_reading WITH NO DATA;
    CREATE TABLE bench_reading (LIKE bench_heap, PRIMARY KEY (der_id, event_at, published_at)) PARTITION BY RANGE (event_at);
    CREATE TABLE bench_reading_all PARTITION OF bench_reading DEFAULT;
    GRANT INSERT ON bench_heap, bench_reading TO PUBLIC;
"""
STORE = """
    INSERT INTO operations_reading (der_id, aggregator_id, edc_id, event_at, published_at, received_at, source, quality, operating,
        p_kw, q_kvar, soc_percent, up_kw, down_kw, transaction_id)
    SELECT d.id, d.aggregator_id, d.edc_id, s.event_at, s.published_at, statement_timestamp(), 'platform', 'good', 'on',
        s.p_kw, s.q_kvar, s.soc_percent, s.up_kw, s.down_kw, (SELECT pg_current_xact_id()::text::bigint)
    FROM pg_temp.staged_ders AS s JOIN registry_der AS d ON d.uuid = s.der
"""
STAGE = """
    CREATE TEMPORARY TABLE staged_ders (row_number integer, der uuid, event_at timestamptz, published_at timestamptz, source smallint,
        quality smallint, operating smallint, p_kw float8, q_kvar float8, soc_percent float8, up_kw float8, down_kw float8) ON COMMIT DROP
"""
TOLD = "der_id event_at published_at source quality operating p_kw q_kvar soc_percent up_kw down_kw".split()


@pytest.fixture
def ders(world) -> list[tuple[int, str]]:
    """(key, id) of many DERs of one aggregator."""
    facts = {"aggregator": world.aggregator, "edc": world.edc, "status": "active", "der_type": "photovoltaic", "nameplate_ac_kw": 10}
    facts |= {"approved_export_kw": 10, "approved_import_kw": 0}
    facts |= {"consent_reference": "C", "customer_sector": "residential", "interconnection_agreement_no": "IA"}
    facts |= {"service_point": world.service_points["edc"][0], "registered_on": timezone.localdate(), "premise_address": "1 Elm Street"}
    with acting(None, "system: benchmark"):
        made = Der.objects.bulk_create((Der(external_id=f"D-{n}", **facts) for n in range(DERS)), batch_size=5_000)
        analyze(Der, "id", "uuid", "aggregator_id", "edc_id")  # as autovacuum would have, by the time they send
    return [(each.pk, str(each.uuid)) for each in made]


def batch(ders: list, number: int) -> list[dict]:
    """One moment of BATCH of the DERs."""
    first, at = number * BATCH % DERS, moment(2 * (ROUNDS * 4 - number)).isoformat()
    chosen = ders[first : first + BATCH]
    return [{"der": uuid, "at": at, "p_kw": 1 + n % 70 / 10, "q_kvar": 0.5, "soc_percent": n % 101} for n, (_, uuid) in enumerate(chosen)]


def plainly(rows: list[dict], ders: list, table: str) -> None:
    """The same values by COPY; the encoding is not measured."""
    key = dict(zip((uuid for _, uuid in ders), (pk for pk, _ in ders), strict=True))
    facts = "platform,good,on"
    body = "".join(
        f"{key[row['der']]},{row['at']},{row['at']},{facts},{row['p_kw']},{row['q_kvar']},{row['soc_percent']},,\n" for row in rows
    ).encode()
    started = perf_counter()
    with transaction.atomic():
        copy_in(table, TOLD, [body])
    return perf_counter() - started


def stored(name: str, content: bytes) -> float:
    """A body decoded and stored in the readings themselves: no token, no judgement, no states."""
    started = perf_counter()
    block = columns.read(name, content, decoding.MOST_ROWS)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(STAGE)
        copy_in("staged_ders", block.columns, [block.content], "FORMAT binary")
        cursor.execute(STORE)
    return perf_counter() - started


def whole(api, content: bytes, media_type: str) -> float:
    """A body by the API."""
    started = perf_counter()
    said = api.post(SEND, content, content_type=media_type).json()
    taken = perf_counter() - started
    assert (said["stored"], said["refused_count"]) == (BATCH, 0)
    return taken


def test_readings_against_copy(world, ders, api_of, settings):
    """N9: ratios to COPY, and readings a second."""
    settings.MOC_API_PER_MINUTE = 10**6
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(PLAIN)
    api, seconds = api_of(world.user("aggregator", "filer")), {}
    number = 0
    for _ in range(ROUNDS):
        for name, written, media_type in (
            ("NDJSON", ndjson, "application/x-ndjson"),
            ("CSV", as_csv, "text/csv"),
            ("JSON", lambda rows: json.dumps(rows).encode(), "application/json"),
        ):
            rows = batch(ders, number)
            number += 1
            content = written(rows)
            seconds.setdefault("COPY, without a key", []).append(plainly(rows, ders, "bench_heap"))
            seconds.setdefault("COPY", []).append(plainly(rows, ders, "bench_reading"))
            seconds.setdefault(f"whole, {name}", []).append(whole(api, content, media_type))
    for _ in range(ROUNDS):
        rows = batch(ders, number)
        number += 1
        with sight.engine():
            seconds.setdefault("stored, NDJSON", []).append(stored("a.ndjson", ndjson(rows)))
    found = {name: median(times) for name, times in seconds.items()}
    assert Reading.objects.count() == BATCH * number and DerState.objects.count() == DERS
    print(f"\n\n{'batches of ' + format(BATCH, ','):<24}{'s':>8}{'readings/s':>14}")
    for name, taken in found.items():
        print(f"{name:<24}{taken:8.3f}{BATCH / taken:14,.0f}")
    fastest = min(found[f"whole, {name}"] for name in ("NDJSON", "CSV", "JSON"))
    print(verdict("decoded and stored, to COPY", found["COPY"] / found["stored, NDJSON"], floor=0.4))
    print(verdict("whole, to COPY (the best of three)", found["COPY"] / fastest, floor=0.12))
    bare = found["COPY, without a key"]
    print(f"  to COPY without a key: {bare / found['stored, NDJSON']:.2f} and {bare / fastest:.2f}")
