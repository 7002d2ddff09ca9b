"""Retail programs by program: R6, ¶296. Terms are drafted by one person and put in force by another, with the codes of the workplace."""

import pytest

from registry.jurisdictions.models import RetailProgram

pytestmark = pytest.mark.django_db
API = "/api/v1/registry/retail-programs/"
TERMS = {"edc": "edc", "code": "NEM", "name": "Net metering", "kind": "net_metering", "tariff": "Sheet 34", "valid_from": "2026-01-01"}


def approve(api, pk: int):
    return api.post(f"{API}{pk}/transitions/approve/", {}, format="json", HTTP_IF_MATCH="*")


def test_from_draft_to_the_terms_that_follow(world, api_of):
    first, second = (api_of(world.user(name, "administrator")) for name in ("edc", "operator"))
    drafted = first.post(API, TERMS | {"pays_for": ["energy"]}, format="json")
    assert (drafted.status_code, drafted.json()["status"], drafted.json()["pays_for"]) == (201, "draft", ["energy"])
    pk = drafted.json()["id"]
    assert (approve(first, pk).status_code, approve(first, pk).json()["code"]) == (422, "FOUR-EYES")
    assert first.patch(f"{API}{pk}/", {"tariff": "Sheet 35"}, format="json").status_code == 428
    changed = first.patch(f"{API}{pk}/", {"tariff": "Sheet 35"}, format="json", HTTP_IF_MATCH="*").json()
    assert (changed["tariff"], changed["valid_from"]) == ("Sheet 35", "2026-01-01")
    assert approve(second, pk).json()["status"] == "in_force"
    settled = first.patch(f"{API}{pk}/", {"tariff": "Sheet 36"}, format="json", HTTP_IF_MATCH="*")
    assert (settled.status_code, settled.json()["code"]) == (409, "PROGRAM-SETTLED")
    following = first.post(API, TERMS | {"valid_from": "2027-01-01", "bars_wholesale": True}, format="json").json()["id"]
    assert approve(second, following).status_code == 200
    assert str(RetailProgram.objects.get(pk=pk).valid_during.upper) == "2027-01-01"


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [({"edc": "tso"}, 400, "edc"), ({"valid_until": "2025-01-01"}, 400, "valid_until"), ({"kind": "barter"}, 400, "kind")],
)
def test_terms_that_there_cannot_be(world, api_of, wrong, status, field):
    answer = api_of(world.user("edc", "administrator")).post(API, TERMS | wrong, format="json")
    assert answer.status_code == status and answer.json()["errors"][0]["field"] == field
    assert not RetailProgram.objects.exists()


def test_whose_terms_are_whose(world, api_of):
    """A utility drafts its own; an aggregator none."""
    assert api_of(world.user("edc2", "administrator")).post(API, TERMS, format="json").status_code == 403
    assert api_of(world.user("aggregator", "administrator")).post(API, TERMS, format="json").status_code == 403
    assert not RetailProgram.objects.exists()
