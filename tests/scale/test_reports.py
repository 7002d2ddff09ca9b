"""A report that groups BENCH_ROWS DERs by utility, county and technology, against its bare SQL (issue: figures)."""

import statistics
from collections import defaultdict
from time import perf_counter

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from moc import sight
from moc.access import policy
from moc.public import services
from moc.public.models import Publication
from moc.reports import reports
from tests.scale.figures import RUNS, Phases, verdict

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
ROUNDS, READS = 6, 10
SPEC = {
    "group": ["edc__name", "county__name", "der_type"],
    "measures": [{"of": "count"}, {"of": "sum", "item": "nameplate_ac_kw"}],
}
BARE = "SELECT edc_id, county_id, der_type, count(*), sum(nameplate_ac_kw) FROM registry_der GROUP BY 1, 2, 3"


def test_a_report_costs_little_more_than_its_sql(small_and_large):
    """N6: the whole report, by a regulator under row-level security, and the bare statement of who sees every row."""
    _, large = small_and_large
    phases = Phases()
    with large.entered():
        regulator = large.user("regulator")
        cache.clear()
        for _ in range(RUNS + 1):
            with phases("bare SQL"), sight.engine(), connection.cursor() as cursor:
                cursor.execute(BARE)
                bare = cursor.fetchall()
            with phases("report"), sight.seeing(policy.sight_of(regulator)):
                rows = reports.compute(regulator, "ders", SPEC).rows
    assert (len(rows), sum(row[3] for row in rows)) == (len(bare), sum(row[3] for row in bare))
    print(f"\n\nGrouping {large.rows:,} DERs by utility, county and technology: {len(rows):,} groups")
    print(phases.table(large.rows))
    print(verdict("report / bare SQL", phases.median("report") / phases.median("bare SQL"), ceiling=1.3))


def test_the_public_dashboard_does_not_grow_with_the_registry(small_and_large):
    """N7: read by a stranger, at 10,000 and at BENCH_ROWS DERs; what it shows was counted when it was published."""
    times: dict[int, list[float]] = defaultdict(list)
    for site in small_and_large:
        with site.entered(), sight.engine():
            if not Publication.objects.exists():
                started = perf_counter()
                services.publish()
                print(f"\nPublishing {site.rows:,} DERs: {perf_counter() - started:.1f} s")
    for _ in range(ROUNDS):  # in turn: what else the machine does slows both
        for site in small_and_large:
            times[site.rows] += _read(site)
    small, large = (statistics.median(times[site.rows]) for site in small_and_large)
    print(f"public dashboard: {1000 * small:.1f} ms at {small_and_large[0].rows:,}, {1000 * large:.1f} ms at {small_and_large[1].rows:,}")
    print(verdict("dashboard, large / small", large / small, ceiling=1.5))


def _read(site) -> list[float]:
    found, client = [], Client()
    with site.entered(), sight.seeing(sight.NOTHING):
        for turn in range(READS + 2):
            started = perf_counter()
            assert client.get("/public/").status_code == 200
            if turn >= 2:
                found.append(perf_counter() - started)
    return found
