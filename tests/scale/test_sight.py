"""N3: what the second line costs: list pages and counts at BENCH_ROWS DERs, under row-level security against above it."""

import statistics
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from unittest.mock import patch

import pytest
from django.db.models import QuerySet

from moc import sight
from moc.access import policy
from registry.ders.models import Der
from tests.scale.figures import verdict
from tests.scale.pages import REQUESTS, ROUNDS
from tests.scale.sites import Site
from tests.scale.test_lists import QUERIES, pages_of

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
UNDER, ABOVE = "under", "above"
COUNTS = {"everything": {}, "photovoltaic": {"der_type": "photovoltaic"}, "above 10 kW": {"nameplate_ac_kw__gt": 10}}
COUNT_TURNS = 5


def test_the_second_line_costs_little(small_and_large):
    site = small_and_large[1]
    with site.entered():
        pages = _in_turns({name: _page(site, who, addresses[0]) for name, (who, addresses) in pages_of(site).items()}, ROUNDS)
        counts = _in_turns({f"{name}, {who}": _count(site, who, said) for name, said in COUNTS.items() for who in QUERIES}, COUNT_TURNS)
    print(f"\n\nList pages and counts at {site.rows:,} DERs, under row-level security against above it, p50 in ms")
    print(_table(pages, "worst page", 1.3))
    print(_table(counts, "worst count", 3))


def _page(site: Site, who: str, address: str):
    client = site.client(who)

    def ask() -> object:
        response = client.get(address)
        assert response.status_code == 200
        return [row.url for row in response.context["table"].rows]

    return ask, REQUESTS


def _count(site: Site, who: str, said: dict):
    user = site.user(who)

    def ask() -> int:
        rows: QuerySet = policy.scope(Der.objects.filter(**said), user)
        with sight.seeing(policy.sight_of(user)):
            return rows.count()

    return ask, 1


@contextmanager
def _looking(how: str) -> Iterator[None]:
    """Above row-level security everybody looks with the engine's eyes; who sees what is then the first line's business alone."""
    if how == UNDER:
        yield
    else:
        with patch.object(policy, "sight_of", lambda user: sight.ENGINE):
            yield


def _in_turns(asked: dict, rounds: int) -> dict[str, dict[str, float]]:
    """name → how → milliseconds of the median; both ways answer the same."""
    times: dict[tuple[str, str], list[float]] = defaultdict(list)
    for turn in range(rounds):
        for name, (ask, times_each) in asked.items():
            answers = []
            for how in (UNDER, ABOVE) if turn % 2 else (ABOVE, UNDER):
                with _looking(how):
                    answers.append(ask())
                    for _ in range(times_each):
                        started = perf_counter()
                        ask()
                        times[name, how].append(perf_counter() - started)
            assert answers[0] == answers[1], name
    return {name: {how: statistics.median(times[name, how]) * 1000 for how in (UNDER, ABOVE)} for name in asked}


def _table(measured: dict[str, dict[str, float]], what: str, ceiling: float) -> str:
    ratios = {name: found[UNDER] / found[ABOVE] for name, found in measured.items()}
    worst = max(ratios, key=ratios.get)
    lines = [f"  {'':<44} {UNDER:>11} {ABOVE:>11} {'ratio':>7}"]
    lines += [f"  {name:<44} {found[UNDER]:11.1f} {found[ABOVE]:11.1f} {ratios[name]:7.2f}" for name, found in measured.items()]
    return "\n".join([*lines, verdict(f"{what}: {worst}", ratios[worst], ceiling=ceiling)])
