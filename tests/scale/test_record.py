"""One DER by its id, its timeline and the differences of its versions: as fast among a million as among ten thousand (figures, row 5)."""

import pytest
from django.urls import reverse

from registry.ders.models import Der
from tests.scale.pages import compare
from tests.scale.sites import BETWEEN, VERSIONS, Site

pytestmark = [pytest.mark.scale, pytest.mark.django_db(transaction=True)]
UTILITY, AUDITOR = "utility", "utility's auditor"
RECORD, THEN = "record with timeline and differences", "record as of a moment, with its timeline"
WORKPLACE, API = "versions in the workplace, with differences", "record by the API"
QUERIES = {RECORD: 12, THEN: 12, WORKPLACE: 12, API: 8}
RECORDS = 10


def test_a_record_costs_the_same_in_a_large_registry(small_and_large):
    asked = []
    for site in small_and_large:
        with site.entered():
            asked.append(_asked(site))
    table = compare(small_and_large, asked, QUERIES, ceiling=1.2)
    print(f"\n\nOne DER by its id as the utility, {RECORDS} records in turn\n{table}")


def _asked(site: Site) -> dict[str, tuple[str, list[str]]]:
    """The addresses of the pages, the first of each checked to show the record, its versions and what changed."""
    uuids = site.uuids(RECORDS)
    der = Der.objects.get(uuid=uuids[0])
    pages = [f"/registry/ders/{uuid}/" for uuid in uuids]
    moment = f"{BETWEEN:%Y-%m-%dT%H:%M}"
    keys = Der.objects.filter(uuid__in=uuids).order_by("pk").values_list("pk", flat=True)
    asked = {
        RECORD: (UTILITY, pages),
        THEN: (UTILITY, [f"{page}?as_of={moment}" for page in pages]),
        WORKPLACE: (AUDITOR, [reverse("admin:registry_der_history", args=[key]) for key in keys]),
        API: (UTILITY, [f"/api/v1/registry/ders/{uuid}/" for uuid in uuids]),
    }
    shown = site.client(UTILITY).get(pages[0]).context
    assert shown["object"] == der and len(shown["timeline"]) == VERSIONS and len(shown["filings"]) == 1
    changes = {label: (before, after) for label, before, after in shown["timeline"][0].changes}
    assert changes["Firmware"] == ("1.0", "2.0")
    versions = site.client(AUDITOR).get(asked[WORKPLACE][1][0])
    assert b"Firmware" in versions.content and der.external_id.encode() in versions.content
    assert site.client(UTILITY).get(asked[API][1][0]).json()["external_id"] == der.external_id
    return asked
