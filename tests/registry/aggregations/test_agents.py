"""Agents of aggregations: R4, N3. What another party sees of one is guardian's grant: from its filing to the last day of the agency."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy, reach
from moc.access.models import User
from moc.access.rowsecurity import Place, seen
from moc.errors import UserError
from moc.history import acting
from moc.notices.models import Notice
from registry.aggregations import tasks
from registry.aggregations.models import AgentGrant, Aggregation, AggregationMember
from registry.aggregations.services import agents, building
from registry.customers.models import OwnerAccount
from registry.customers.reports import seers
from tests.factories.ders import register
from tests.factories.personal import registered_owner
from tests.factories.world import REASON
from tests.registry.aggregations.making import filed, made

pytestmark = pytest.mark.django_db
API = "/api/v1/registry/aggregations/"
AGENT = "aggregator2"


@pytest.fixture
def aggregation(world) -> Aggregation:
    """Filed, with a member; the second aggregator takes its dispatch instructions."""
    return filed(world, made(world, ders=register(world, 1), dispatch_agent=world.organizations[AGENT]))


def opened(aggregation, world, client_of, api_of) -> set[int]:
    """The answers to the agent at every door of the aggregation."""
    user, pages = world.user(AGENT, "auditor"), ("", "members/", "composition/", "members/export.csv")
    found = {client_of(user).get(f"/registry/aggregations/{aggregation.uuid}/{page}").status_code for page in pages}
    found |= {api_of(user).get(f"{API}{aggregation.uuid}/{page}").status_code for page in ("", "members/", "agents/", "versions/")}
    return found | {client_of(user).get(f"/admin/registry/aggregation/{aggregation.pk}/change/").status_code}


def rows_seen(world, *models) -> list[int]:
    """How many rows of each table the agent's own sight holds, with no scope asked: the second line."""
    with sight.seeing(policy.sight_of(world.user(AGENT, "viewer"))):
        return [model.objects.count() for model in models]


def test_nobody_is_granted_anything_by_a_draft(world, client_of, api_of):
    draft = made(world, ders=register(world, 1), dispatch_agent=world.aggregator2)
    assert not AgentGrant.objects.exists()
    assert opened(draft, world, client_of, api_of) == {404}
    assert rows_seen(world, Aggregation, AggregationMember) == [0, 0]


def test_an_agent_sees_by_its_grant_what_it_may_and_no_more(world, aggregation, client_of, api_of):
    """The grant is an object permission; the second line shows the aggregation with its members, and no DER's record."""
    grant = AgentGrant.objects.get()
    assert (grant.organization, grant.permission) == (world.aggregator2, Permission.objects.get(codename="dispatch_agent"))
    assert opened(aggregation, world, client_of, api_of) == {200}
    der = aggregation.members.get().der
    assert api_of(world.user(AGENT, "auditor")).get(f"/api/v1/registry/ders/{der.uuid}/").status_code == 404
    made(world, "Another", dispatch_agent=world.aggregator2)
    with sight.seeing(policy.sight_of(world.user(AGENT, "viewer"))):
        assert [each.pk for each in Aggregation.objects.all()] == [aggregation.pk]
        assert [each.aggregation_id for each in AggregationMember.objects.all()] == [aggregation.pk]
    subject = Notice.objects.filter(user=world.user(AGENT, "viewer"), event="agent").get().subject
    assert "dispatch agent of Shore" in subject


def test_a_grant_gives_no_rights_to_write(world, aggregation, api_of):
    api = api_of(world.user(AGENT, "administrator"))
    one = f"{API}{aggregation.uuid}/"
    assert api.patch(one, {"name": "Mine"}, format="json", HTTP_IF_MATCH="*").status_code == 403
    assert api.post(f"{one}agents/", {"role": "dispatch_agent"}, format="json").status_code == 403
    assert AgentGrant.objects.exists()


def test_the_access_paths_name_no_agent_but_by_its_grant():
    """So that taking the grant away is enough, in the portal's scope and in the database's."""
    for model in (Aggregation, AggregationMember):
        expression = seen(Place(model, model._meta.db_table))
        assert "registry_agentgrant" in expression and "market_agent" not in expression and "meter_reader" not in expression


def test_another_agent_takes_the_place_of_the_former(world, aggregation, client_of, api_of):
    actor = world.user("aggregator", "approver")
    building.move(actor=actor, aggregation=aggregation, name="withdraw")
    assert not AgentGrant.objects.exists() and opened(aggregation, world, client_of, api_of) == {404}
    building.change(actor=actor, aggregation=aggregation, dispatch_agent=world.edc2)
    filed(world, aggregation, "submit", "register")
    assert AgentGrant.objects.get().organization == world.edc2
    building.change(actor=actor, aggregation=aggregation, dispatch_agent=world.aggregator2)
    assert AgentGrant.objects.get().organization == world.aggregator2
    assert opened(aggregation, world, client_of, api_of) == {200}
    building.move(actor=actor, aggregation=aggregation, name="retire", reason="tests")
    assert opened(aggregation, world, client_of, api_of) == {404} and rows_seen(world, Aggregation, AgentGrant) == [0, 0]


def test_an_agency_ends_on_its_day(world, aggregation, client_of, api_of):
    """The end is dated; the day removes the grant, and a former agent's doors are closed, its history says when and why."""
    day = timezone.localdate() + timedelta(days=2)
    agents.end(actor=world.user("aggregator", "filer"), aggregation=aggregation, role="dispatch_agent", ends_on=day)
    assert tasks.end_agents() == 0 and opened(aggregation, world, client_of, api_of) == {200}
    with acting(None, REASON):
        AgentGrant.objects.update(starts_on=day - timedelta(days=9), ends_on=day - timedelta(days=2))
    assert tasks.end_agents() == 1 and tasks.end_agents() == 0
    assert opened(aggregation, world, client_of, api_of) == {404}
    assert rows_seen(world, Aggregation, AggregationMember, AgentGrant) == [0, 0, 0]
    aggregation.refresh_from_db()
    assert aggregation.dispatch_agent == world.aggregator
    last = AgentGrant.history.model.objects.order_by("history_id").last()
    assert (last.history_type, last.history_change_reason) == ("-", "system: the agency's last day is over")


def test_what_cannot_end(world, aggregation):
    actor, yesterday = world.user("aggregator", "filer"), timezone.localdate() - timedelta(days=1)
    with pytest.raises(UserError) as refused:
        agents.end(actor=actor, aggregation=aggregation, role="dispatch_agent", ends_on=yesterday)
    assert refused.value.code == "AGENT-PAST"
    with pytest.raises(UserError) as refused:
        agents.end(actor=actor, aggregation=aggregation, role="meter_reader")
    assert refused.value.code == "AGENT-NONE"
    with pytest.raises(policy.NotPermitted):
        agents.end(actor=world.user(AGENT, "filer"), aggregation=aggregation, role="dispatch_agent")


def test_pages_and_programs_end_an_agency(world, aggregation, client_of, api_of):
    """The page shows the grants and ends one; a program reads and ends the same."""
    client, page = client_of(world.user("aggregator", "filer")), f"/registry/aggregations/{aggregation.uuid}/"
    assert "Agents of other parties" in client.get(page).content.decode()
    assert client.get(reverse("registry:aggregation_agent_end", args=[aggregation.uuid, "somebody"])).status_code == 404
    assert client.post(f"{page}agents/dispatch_agent/end/", {"ends_on": "2020-01-01"}).status_code == 422
    api = api_of(world.user("aggregator", "administrator"))
    told = api.get(f"{API}{aggregation.uuid}/agents/").json()
    assert [(each["role"], each["agent"]) for each in told] == [("dispatch_agent", AGENT)]
    one, gone = f"{API}{aggregation.uuid}/agents/", {"role": "dispatch_agent"}
    read, week = api.get(one)["ETag"], str(timezone.localdate() + timedelta(days=7))
    opened_ = client.get(f"{page}agents/dispatch_agent/end/").context["opened_version"]
    assert api.post(one, gone | {"ends_on": week}, format="json").status_code == 428
    assert api.post(one, gone | {"ends_on": week}, format="json", HTTP_IF_MATCH=read).json()[0]["ends_on"] == week
    late = api.post(one, gone, format="json", HTTP_IF_MATCH=read)
    assert late.status_code == 412 and late.json()["current"][0]["ends_on"] == week
    late = client.post(f"{page}agents/dispatch_agent/end/", {"opened_version": opened_})
    assert late.status_code == 422 and [what for what, *_ in late.context["overtaken"]] == ["Ends on"]
    assert client.post(f"{page}agents/dispatch_agent/end/").status_code == 302
    assert api.get(one).json() == []
    refused = api.post(one, gone, format="json", HTTP_IF_MATCH="*")
    assert (refused.status_code, refused.json()["code"]) == (422, "AGENT-NONE")


def test_grants_are_seen_from_both_sides(world, aggregation, client_of):
    """From the aggregation: who reaches it, and why; from the agent: what it was granted."""
    ways = reach.explain(aggregation, "view_registry")
    whys = {way.why for way in ways if way.organization == world.aggregator2}
    assert whys == {f"{world.aggregator2} was granted it: takes dispatch instructions of the aggregation"}
    page = client_of(world.user(AGENT, "auditor")).get(f"/admin/registry/agentgrant/?organization={world.aggregator2.pk}")
    assert "Shore" in page.content.decode()


def test_the_owner_of_a_member_is_told_of_its_agents(world, client_of):
    """Who sees them: an owner's page names each agent by its part while the agency lasts, and the market's operator; no draft's."""
    owner = registered_owner(world.aggregator, world.edc, edc_account_no="A-1")
    with acting(None, REASON):
        ann = User.objects.create_user("ann@example.org", "not used", name="Ann")
        OwnerAccount.objects.create(user=ann, owner=owner, edc=owner.edc)
    draft = made(world, ders=register(world, 1, owner=owner), dispatch_agent=world.aggregator2, meter_reader=world.edc2)
    told = lambda: {(name, what) for name, _, what in seers(ann)}  # noqa: E731
    assert not {what for _, what in told() if "member" in what}
    one = filed(world, draft)
    agents_told = {(name, what.split(" as its ")[1].split(";")[0]) for name, what in told() if " as its " in what}
    assert agents_told == {
        (world.aggregator2.name, "dispatch agent"),
        (world.edc2.name, "meter reader"),
        (world.tso.name, "market's operator"),
    }
    assert "dispatch agent" in client_of(ann).get(reverse("registry:my")).content.decode()
    agents.end(actor=world.user("aggregator", "filer"), aggregation=one, role="dispatch_agent")
    assert world.aggregator2.name not in {name for name, _ in told()}
