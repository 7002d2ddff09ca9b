"""Requests through the whole of Django, at the small and the large registry in turns: their p50 and their number of queries."""

import statistics
from collections import defaultdict
from time import perf_counter

from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.scale.figures import verdict
from tests.scale.sites import Site

ROUNDS, REQUESTS = 9, 10
BRACKETS = {"BEGIN", "COMMIT"}  # around a statement outside of a transaction, which is told its sight (moc.database)


def compare(sites: tuple[Site, Site], asked: list[dict[str, tuple[str, list[str]]]], queries: dict[str, int], ceiling: float) -> str:
    """Ask for pages {name: (who, addresses)} of both sites in turns; returns the table of the medians of the rounds' p50.

    Every page answers 200, and costs the pinned number of queries at both sites.
    """
    rounds: dict[tuple[str, int], list[float]] = defaultdict(list)
    for turn in range(ROUNDS):
        for place in (0, 1) if turn % 2 else (1, 0):
            with sites[place].entered():
                for name, (who, addresses) in asked[place].items():
                    rounds[name, place].append(_p50(sites[place].client(who), addresses, queries[name]))
    lines = [f"  {'p50 of a request, ms':<44} {sites[0].rows:>11,} {sites[1].rows:>11,} {'ratio':>7} {'queries':>8}"]
    ratios = {}
    for name in asked[0]:
        small, large = (statistics.median(rounds[name, place]) for place in (0, 1))
        ratios[name] = large / small
        lines.append(f"  {name:<44} {small:11.1f} {large:11.1f} {large / small:7.2f} {queries[name]:8}")
    worst = max(ratios, key=ratios.get)
    return "\n".join([*lines, verdict(f"worst page: {worst}", ratios[worst], ceiling=ceiling)])


def _p50(client, addresses: list[str], queries: int) -> float:
    """Milliseconds of the median request; the first, which warms up, is counted in queries and not in time."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(addresses[0]).status_code == 200, addresses[0]
    asked = [query["sql"][:150] for query in captured if query["sql"] not in BRACKETS]
    assert len(asked) == queries, (addresses[0], len(asked), asked)
    seconds = []
    for turn in range(REQUESTS):
        started = perf_counter()
        response = client.get(addresses[turn % len(addresses)])
        seconds.append(perf_counter() - started)
        assert response.status_code == 200
    return statistics.median(seconds) * 1000
