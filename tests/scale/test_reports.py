"""A report that groups BENCH_ROWS DERs by utility, county and technology, against its bare SQL (issue: figures)."""

import pytest
from django.core.cache import cache
from django.db import connection

from moc import sight
from moc.access import policy
from moc.reports import reports
from tests.scale.figures import RUNS, Phases, verdict

pytestmark = pytest.mark.scale
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
