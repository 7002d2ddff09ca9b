"""A copy filled from empty by the feed of changes (N11): in bounded memory, and each page as fast at the end as at the beginning."""

import statistics
import tracemalloc
from time import perf_counter

import pytest

from moc.api import FED
from moc.rest.feed import Feed
from tests.scale.figures import ROWS, verdict
from tests.scale.sites import SMALL_ROWS, Site

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
SIZE, PAGES_ASIDE = 1_000, 5


def test_a_copy_is_filled_in_bounded_memory(small_and_large):
    found = []
    for site in small_and_large:
        with site.entered():
            found.append(_filled(site))
    for site, (rows, seconds, first, last, peak) in zip(small_and_large, found, strict=True):
        print(f"\n  {site.rows:>9,} DERs: {rows:,} records in {seconds:.1f} s, {rows / seconds:,.0f}/s, at most {peak / 2**20:.0f} MB")
        print(f"  a page of {SIZE:,}: {first * 1000:.0f} ms at the beginning, {last * 1000:.0f} ms at the end")
    print(verdict("a page at the end against one at the beginning", found[1][3] / found[1][2], ceiling=1.5))
    print(verdict("memory at its peak, large against small", found[1][4] / found[0][4], ceiling=1.5))
    assert [rows for rows, *_ in found] >= [SMALL_ROWS, ROWS]
    assert found[1][4] < 1.5 * found[0][4]


def _filled(site: Site) -> tuple[int, float, float, float, int]:
    """(records, seconds, seconds of a page at the beginning, and at the end, bytes at the peak)"""
    feed, position, more, rows, places = Feed([FED[0]], site.user("regulator")), None, True, 0, []
    tracemalloc.start()
    started = perf_counter()
    while more:
        places.append(position)
        page = feed.page(position, SIZE)
        position, more, rows = page.position, page.more, rows + len(page.results)
        more = more and position.kind >= 0
    seconds, (_, peak) = perf_counter() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return rows, seconds, *_ends(feed, places), peak


def _ends(feed: Feed, places: list) -> tuple[float, float]:
    """Seconds of a page at the beginning and at the end, measured in turns without the memory being traced."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for first, last in zip(places[:PAGES_ASIDE], places[-PAGES_ASIDE - 1 : -1], strict=True):
        for at_end, place in ((False, first), (True, last)):
            started = perf_counter()
            feed.page(place, SIZE)
            times[at_end].append(perf_counter() - started)
    return statistics.median(times[False]), statistics.median(times[True])
