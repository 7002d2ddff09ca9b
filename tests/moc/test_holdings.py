"""Rights are visible in both directions: who can reach a record, and what a user or an organisation holds (N3)."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from moc.access import holdings
from moc.access.models import OrganizationUserObjectPermission
from moc.access.support import SupportGrant
from moc.history import acting
from registry.aggregations.models import AgentGrant, Aggregation

pytestmark = pytest.mark.django_db


@pytest.fixture
def granted(world) -> None:
    """A grant across organisations, an agency on an aggregation, and a support grant."""
    may = Permission.objects.get(codename="audit", content_type__model="organization")
    with acting(None, "system: test"):
        agents = dict.fromkeys(("market_agent", "dispatch_agent", "meter_reader"), world.aggregator)
        aggregation = Aggregation.objects.create(aggregator=world.aggregator, tso=world.tso, services=["energy"], name="A", **agents)
    agency = Permission.objects.get(codename="dispatch_agent", content_type__model="aggregation")
    with acting(None, "system: test"):
        OrganizationUserObjectPermission.objects.create(user=world.user("rerra", "auditor"), permission=may, content_object=world.edc2)
        AgentGrant.objects.create(
            content_object=aggregation,
            aggregator=world.aggregator,
            organization=world.edc,
            permission=agency,
            starts_on=timezone.localdate(),
        )
        SupportGrant.objects.create(
            organization=world.edc,
            operator=world.operator,
            granted_by=world.user("edc", "administrator"),
            until=timezone.now() + timedelta(days=1),
            reason="look",
        )


def told(holder, viewer) -> set[tuple[str, str]]:
    held, more = holdings.held_by(holder, viewer, "audit")
    assert not more
    return {(str(each.record), each.why.partition(",")[0]) for each in held}


def test_what_a_user_and_an_organisation_hold(world, granted):
    auditor, operator = world.user("rerra", "auditor"), world.user("operator", "auditor")
    mine = told(auditor, auditor)
    assert (str(world.rerra), "a member") in mine and (str(world.edc), f"{world.rerra} oversees it") in mine
    assert (str(world.edc2), "granted to the user across organisations") in told(auditor, operator)
    assert (str(world.edc), "support") in told(world.operator, world.user("edc", "administrator"))
    assert any(why == f"granted to {world.edc}" for _, why in told(world.edc, world.user("edc", "auditor")))
    assert not any(why.startswith("granted to") for _, why in told(world.edc, world.user("edc2", "administrator")))


def test_in_the_workplace(world, granted, client_of):
    page = f"/admin/moc/organization/{world.edc.pk}/"
    client = client_of(world.user("edc", "auditor"))
    assert f"{page}holds/" in client.get(f"{page}change/").content.decode()
    assert f"Granted to {world.edc}" in client.get(f"{page}holds/").content.decode()
    assert client_of(world.user("edc2", "administrator")).get(f"{page}holds/").status_code == 404


def test_no_more_than_some_of_each_kind_are_read(world, monkeypatch):
    monkeypatch.setattr(holdings, "MOST", 0)
    held, more = holdings.held_by(world.rerra, world.user("rerra", "auditor"), "audit")
    assert more and held == []
