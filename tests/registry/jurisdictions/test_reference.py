"""Jurisdictions, sales and affiliations by program: R6. The operator keeps them; dates end, nothing is removed."""

import pytest

from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction

pytestmark = pytest.mark.django_db
API = "/api/v1/registry/"


@pytest.fixture
def operator(world, api_of):
    return api_of(world.user("operator", "administrator"))


def test_a_jurisdiction_begins_and_ends(world, operator):
    governed = {"rerra": "rerra", "edc": "edc", "county_fips": world.counties[0].pk, "valid_from": "2026-01-01"}
    made = operator.post(f"{API}jurisdictions/", governed, format="json")
    assert (made.status_code, made.json()["rerra"], made.json()["valid_until"]) == (201, "rerra", None)
    twice = operator.post(f"{API}jurisdictions/", governed | {"rerra": "rerra2"}, format="json")
    assert twice.status_code == 400 and "Another regulator governs" in str(twice.json())
    one = f"{API}jurisdictions/{made.json()['id']}/end/"
    early = operator.post(one, {"on": "2025-06-01"}, format="json", HTTP_IF_MATCH="*")
    assert (early.status_code, early.json()["code"]) == (422, "DAYS")
    assert operator.post(one, {"on": "2026-07-01"}, format="json").status_code == 428
    assert operator.post(one, {"on": "2026-07-01"}, format="json", HTTP_IF_MATCH="*").status_code == 204
    assert (
        operator.post(f"{API}jurisdictions/", governed | {"rerra": "rerra2", "valid_from": "2026-07-01"}, format="json").status_code == 201
    )
    assert [str(each.valid_during.upper) for each in Jurisdiction.objects.order_by("pk")] == ["2026-07-01", "None"]


def test_sales_and_affiliations(world, operator):
    sold = {"edc": "edc", "year": 2025, "sales_mwh": 5, "source": "EIA-861 2025"}
    assert operator.post(f"{API}annual-sales/", sold, format="json").json()["sales_mwh"] == 5
    assert operator.post(f"{API}annual-sales/", sold, format="json").status_code == 400 and AnnualSales.objects.count() == 1
    named = {"aggregator": "aggregator", "edc": "edc", "valid_from": "2026-01-01", "source": "Form 60"}
    assert operator.post(f"{API}affiliations/", named, format="json").status_code == 201
    assert operator.post(f"{API}affiliations/", named | {"aggregator": "edc"}, format="json").status_code == 400
    assert Affiliation.objects.get().aggregator == world.aggregator


@pytest.mark.parametrize("party", ["edc", "rerra", "aggregator"])
def test_nobody_keeps_what_is_about_them(world, api_of, party):
    sold = {"edc": "edc", "year": 2025, "sales_mwh": 5, "source": "Mine"}
    assert api_of(world.user(party, "administrator")).post(f"{API}annual-sales/", sold, format="json").status_code == 403
    assert not AnnualSales.objects.exists()
