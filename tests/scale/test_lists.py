"""The DER list, filtered and sorted, at its first page and after half of the rows (figures, row 4).

It must be as fast at a million DERs as at ten thousand, for whoever asks.
"""

import pytest

from moc.portal import paging
from registry.ders.models import Der
from registry.ders.views import DerList
from tests.scale.pages import compare
from tests.scale.sites import Site

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
FILTERS = "der_type=photovoltaic&sort=-nameplate_ac_kw"
PAGES = ("first page", "after half")
QUERIES = {"aggregator": 11, "utility": 11, "regulator": 11, "nobody": 7}  # of either page


def test_a_page_costs_the_same_in_a_large_registry(small_and_large):
    asked = []
    for site in small_and_large:
        with site.entered():
            asked.append(pages_of(site))
    queries = {f"{page}, {who}": QUERIES[who] for page in PAGES for who in QUERIES}
    table = compare(small_and_large, asked, queries, ceiling=1.5)
    print(f"\n\nDER list, photovoltaic, largest first; after half is after half as many rows as there are DERs\n{table}")


def pages_of(site: Site) -> dict[str, tuple[str, list[str]]]:
    """The addresses of the pages, each checked to show the rows that it must."""
    half, asked = site.rows // 2, {}
    deep = _cursor(site, "regulator", half)
    for who in QUERIES:
        cursor = _cursor(site, who, half) or deep
        for name, address, skipped in (
            (PAGES[0], f"/registry/ders/?{FILTERS}", 0),
            (PAGES[1], f"/registry/ders/?{FILTERS}&after={cursor}", half),
        ):
            page = site.client(who).get(address)
            shown = [row.url for row in page.context["table"].rows]
            expected = _sorted(site, who).values_list("uuid", flat=True)[skipped : skipped + DerList.page_size]
            assert shown == [f"/registry/ders/{uuid}/" for uuid in expected]
            assert bool(shown) == (who != "nobody")
            asked[f"{name}, {who}"] = (who, [address])
    return asked


def _sorted(site: Site, who: str):
    return DerList.for_user(site.user(who), FILTERS).selected().order_by("-nameplate_ac_kw", "-id")


def _cursor(site: Site, who: str, rows: int) -> str:
    """The cursor behind the first `rows` rows of a user's list; none for who has fewer."""
    names = ("nameplate_ac_kw", "id")
    edge = _sorted(site, who).values_list(*names)[rows - 1 : rows]
    return paging.encode(edge[0], [Der._meta.get_field(name) for name in names]) if edge else ""
