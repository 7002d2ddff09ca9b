"""One utility's DERs as of a past moment, by technology, against the same sums of the current rows (figures, row 6); and a page of service
points and of members as of a past moment against the same page now.
"""

import statistics
from decimal import Decimal
from time import perf_counter

import pytest
from django.db.models import Count, Sum

from moc.access.models import Organization
from moc.history import acting
from registry.aggregations.services import building
from registry.catalogue import services as catalogue
from registry.ders.models import Der
from registry.ders.reports import capacity_by_technology
from tests.scale import state
from tests.scale.figures import RUNS, Phases, verdict
from tests.scale.sites import BETWEEN, VERSIONS, VERSIONS_AT_SECOND, Site, _columns

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
NOW, THEN = "current rows", "as of a past moment"
GROWTH_KW = Decimal("0.1") * (VERSIONS_AT_SECOND - VERSIONS)


def test_a_past_moment_costs_few_times_the_present(small_and_large):
    large, phases = small_and_large[1], Phases()
    with large.entered():
        edc = large.edcs[1].pk
        count = _check(large, edc)
        for _ in range(max(RUNS, 5)):
            for name, moment in ((NOW, None), (THEN, BETWEEN)):
                user = large.user("regulator")
                with phases(name):
                    capacity_by_technology(user, edc, moment)
    print(f"\n\n{count:,} DERs of one utility, {VERSIONS_AT_SECOND} versions each, by technology\n{phases.table(count)}")
    print(verdict("as of a past moment against the current rows (time)", phases.median(THEN) / phases.median(NOW), ceiling=5))


def _check(site: Site, edc: int) -> int:
    """Then as now, but each DER less what its later versions added; returns the number of DERs. Reads all once, so that all are warm."""
    user = site.user("regulator")
    now, then = capacity_by_technology(user, edc), capacity_by_technology(user, edc, BETWEEN)
    rows = Der.objects.filter(edc=edc).values_list("der_type").annotate(Count("pk"), Sum("nameplate_ac_kw"))
    assert now == {technology: (ders, kw) for technology, ders, kw in rows}
    assert then == {technology: (ders, kw - ders * GROWTH_KW) for technology, (ders, kw) in now.items()}
    return sum(ders for ders, _ in now.values())


ASKED = 15
LATER = "2025-06-01"  # after the first version of everything, before the second


def test_a_page_of_the_past_costs_what_a_page_of_now_costs(small_and_large):
    """N4: both have an index by whom they are listed for; each page is judged version by version, never the whole history."""
    found = []
    for site in small_and_large:
        with site.entered():
            found.append(_paged(site))
    print(f"\n\n  {'p50 of a page, ms':<24} {'rows':>10} {'now':>8} {'then':>8} {'ratio':>7}")
    for site, pages in zip(small_and_large, found, strict=True):
        for name, (now, then) in pages.items():
            print(f"  {name:<24} {site.rows:>10,} {now:8.1f} {then:8.1f} {then / now:7.2f}")
    for name, (now, then) in found[1].items():
        print(verdict(f"{name}: then against now", then / now, ceiling=3))
        print(verdict(f"{name}: then, large against small", then / found[0][name][1], ceiling=1.5))


def _paged(site: Site) -> dict[str, tuple[float, float]]:
    """Of each list the milliseconds of a page now and then."""
    few, many = (_with_members(site, name, most) for name, most in (("Few", 100), ("Many", site.rows)))
    with site.superuser() as direct:
        direct.execute("SET session_replication_role = replica")
        for table in ("servicepoint", "aggregationmember"):
            _versions(direct, table)
    pages = {
        "points of a utility": (site.client("utility's auditor"), "/registry/grid/service-points/"),
        "points of 20 utilities": (site.client("regulator"), "/registry/grid/service-points/"),
        "members of many": (site.client("aggregator"), f"/registry/aggregations/{many}/members/"),
        "members of few": (site.client("aggregator"), f"/registry/aggregations/{few}/members/"),
    }
    return {name: (_ms(client, address), _ms(client, f"{address}?as_of={LATER}")) for name, (client, address) in pages.items()}


def _with_members(site: Site, name: str, most: int):
    """The id of an aggregation whose members are at most so many of the first aggregator's DERs, of no other aggregation."""
    catalogue.load()
    user = site.user("aggregator")
    with acting(None, state.REASON):
        tso, _ = Organization.objects.get_or_create(kind="tso", slug="bench-tso", defaults={"name": "Bench RTO"})
    aggregator = user.memberships.get().organization
    made = building.create(actor=user, aggregator=aggregator, name=name, tso=tso, services=["energy"])
    with site.superuser() as direct:
        direct.execute("SET session_replication_role = replica")
        direct.execute(
            "INSERT INTO registry_aggregationmember "
            "(aggregation_id, der_id, service_id, aggregator_id, edc_id, valid_during, share_percent, wholesale) "
            "SELECT %s, id, 'energy', aggregator_id, edc_id, '[2025-01-01,)', 100, true FROM registry_der AS d WHERE aggregator_id = %s "
            "AND NOT EXISTS (SELECT FROM registry_aggregationmember AS m WHERE m.der_id = d.id) ORDER BY id LIMIT %s",
            [made.pk, aggregator.pk, most],
        )
    return made.uuid


def _versions(direct, table: str) -> None:
    """Two versions of every row: one of the spring of 2025, one of a year later."""
    names = ", ".join(f'"{name}"' for name in _columns(direct, f"registry_{table}"))
    for kind, moment, number in (("+", "2025-03-01", 1), ("~", "2026-03-01", 2)):
        direct.execute(
            f"INSERT INTO registry_historical{table} ({names}, history_date, history_type, history_change_reason, transaction_id) "
            f"SELECT {names}, %s, %s, 'bench', %s FROM registry_{table} ORDER BY id",
            [moment, kind, number],
        )
    for each in (table, f"historical{table}"):
        direct.execute(f"VACUUM (ANALYZE) registry_{each}")


def _ms(client, address: str) -> float:
    """The median of some requests, after one that warms up."""
    times = []
    for _ in range(ASKED + 1):
        started = perf_counter()
        response = client.get(address)
        times.append(perf_counter() - started)
        assert response.status_code == 200 and response.context["table"].rows
    return statistics.median(times[1:]) * 1000
