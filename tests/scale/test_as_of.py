"""One utility's DERs as of a past moment, by technology, against the same sums of the current rows (figures, row 6)."""

from decimal import Decimal

import pytest
from django.db.models import Count, Sum

from registry.ders.models import Der
from registry.ders.reports import capacity_by_technology
from tests.scale.figures import RUNS, Phases, verdict
from tests.scale.sites import BETWEEN, VERSIONS, VERSIONS_AT_SECOND, Site

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
