"""Jurisdictions, sales, affiliations and terms of retail programs are kept in the portal too: R6, N3, ¶292, ¶296."""

import pytest
from django.urls import reverse

from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram

pytestmark = pytest.mark.django_db
TERMS = {"code": "DR", "name": "Summer", "kind": "demand_response", "pays_for": "energy", "tariff": "Sheet 3", "valid_from": "2026-06-01"}


def new(kind: str) -> str:
    return reverse("registry:reference_new", args=[kind])


def test_records_are_added_collide_and_end(world, client_of):
    client = client_of(world.user("operator", "administrator"))
    governed = {"rerra": world.rerra.pk, "edc": world.edc.pk, "county": world.counties[0].pk, "valid_from": "2026-01-01"}
    assert client.post(new("jurisdictions"), governed).status_code == 302
    twice = client.post(new("jurisdictions"), governed | {"rerra": world.rerra2.pk})
    assert twice.status_code == 422 and "Another regulator governs" in twice.content.decode() and Jurisdiction.objects.count() == 1
    backwards = client.post(new("jurisdictions"), governed | {"valid_from": "2020-01-01", "valid_until": "2019-01-01"})
    assert backwards.status_code == 422 and "end before it begins" in backwards.content.decode()
    one = Jurisdiction.objects.get()
    end = reverse("registry:reference_end", args=["jurisdictions", one.pk])
    assert client.post(end, {"on": "2025-06-01"}).status_code == 422
    assert client.post(end, {"on": "2026-07-01"}).status_code == 302
    shown = client_of(world.user("aggregator", "viewer")).get(reverse("registry:jurisdiction_detail", args=[one.pk])).content.decode()
    assert "until" in shown and "End it" not in shown
    client.post(new("sales"), {"edc": world.edc.pk, "year": "2025", "sales_mwh": "5", "source": "EIA-861"})
    client.post(
        new("affiliations"), {"edc": world.edc.pk, "aggregator": world.aggregator.pk, "source": "Form 60", "valid_from": "2026-01-01"}
    )
    assert AnnualSales.objects.get().sales_mwh == 5 and Affiliation.objects.get().valid_during.upper is None


def test_a_sale_has_no_end_and_there_is_no_other_kind(world, client_of):
    client = client_of(world.user("operator", "administrator"))
    client.post(new("sales"), {"edc": world.edc.pk, "year": "2025", "sales_mwh": "5", "source": "EIA-861"})
    assert client.get(reverse("registry:reference_end", args=["sales", AnnualSales.objects.get().pk])).status_code == 404
    assert client.get(new("tariffs")).status_code == 404
    assert client_of(world.user("edc", "administrator")).get(new("sales")).status_code == 404


def test_terms_are_drafted_by_one_and_put_in_force_by_another(world, client_of):
    """The operator drafts, the utility's administrator approves; nobody approves one's own draft."""
    first, second = client_of(world.user("operator", "administrator")), client_of(world.user("edc", "administrator"))
    assert first.post(reverse("registry:program_new"), TERMS | {"edc": world.edc.pk}).status_code == 302
    program = RetailProgram.objects.get()
    assert first.post(reverse("registry:program_change", args=[program.pk]), TERMS | {"name": "Winter"}).status_code == 302
    approve = reverse("registry:program_transition", args=[program.pk, "approve"])
    first.post(approve)
    assert RetailProgram.objects.get().status == "draft"
    second.post(approve)
    program.refresh_from_db()
    assert (program.status, program.name, program.pays_for) == ("in_force", "Winter", ["energy"])
    page = client_of(world.user("aggregator", "viewer")).get(reverse("registry:program_detail", args=[program.pk])).content.decode()
    assert "Winter" in page and "Sheet 3" in page and ">Change<" not in page
    assert second.post(reverse("registry:program_change", args=[program.pk]), TERMS).status_code == 422
    other = client_of(world.user("edc2", "administrator")).post(reverse("registry:program_new"), TERMS | {"edc": world.edc.pk})
    assert other.status_code == 422 and RetailProgram.objects.count() == 1
