"""Four eyes for administrators: proposed by one, confirmed by another, never by the one whom it is about. N2."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from moc.access import policy
from moc.access.models import Membership, User
from moc.accounts import services
from moc.accounts.models import AdministratorGrant
from moc.errors import UserError
from moc.history import acting
from tests.factories.presence import sign_in
from tests.factories.world import REASON


@pytest.fixture
def second(world) -> User:
    """A second administrator of the utility."""
    user = world.nobody
    with acting(None, REASON):
        Membership.objects.create(user=user, organization=world.edc, role="administrator")
    return user


@pytest.fixture
def grant(world) -> AdministratorGrant:
    viewer = world.user("edc", "viewer")
    services.set_roles(
        actor=world.user("edc", "administrator"), organization=world.edc, user=viewer, roles=["viewer", "administrator"], reason="deputy"
    )
    return AdministratorGrant.objects.get()


def is_administrator(grant: AdministratorGrant) -> bool:
    return "administrator" in services.roles_in(grant.organization, grant.member)


def test_a_proposed_administrator_is_none_until_another_confirms(world, second, grant):
    assert not is_administrator(grant) and services.roles_in(world.edc, grant.member) == {"viewer"}
    services.decide_grant(actor=second, grant=grant, name="confirm")
    grant.refresh_from_db()
    assert is_administrator(grant) and grant.decided_by == second and grant.status == "effective"
    with pytest.raises(UserError):
        services.decide_grant(actor=second, grant=grant, name="confirm")


@pytest.mark.parametrize(
    "who",
    [("edc", "administrator"), ("edc", "viewer"), ("edc", "auditor"), ("edc2", "administrator"), ("rerra2", "administrator")],
)
def test_nobody_confirms_what_is_theirs_or_not_theirs_to_confirm(world, grant, who):
    with pytest.raises(policy.NotPermitted):
        services.decide_grant(actor=world.user(*who), grant=grant, name="confirm")
    assert not is_administrator(grant)


@pytest.mark.parametrize("who", [("operator", "administrator"), ("rerra", "administrator")])
def test_the_operator_or_the_regulator_confirms_where_there_is_no_other(world, grant, who):
    services.decide_grant(actor=world.user(*who), grant=grant, name="confirm")
    assert is_administrator(grant)


@pytest.mark.parametrize("who", [("operator", "administrator"), ("rerra", "administrator")])
def test_they_do_not_where_there_is_another(world, second, grant, who):
    with pytest.raises(policy.NotPermitted):
        services.decide_grant(actor=world.user(*who), grant=grant, name="confirm")
    assert not is_administrator(grant)


def test_a_rejection_owes_a_reason_and_makes_nobody_administrator(world, second, grant):
    with pytest.raises(UserError):
        services.decide_grant(actor=second, grant=grant, name="reject")
    services.decide_grant(actor=second, grant=grant, name="reject", reason="too soon")
    grant.refresh_from_db()
    assert grant.status == "rejected" and not is_administrator(grant)


@pytest.mark.parametrize("own", ["proposed_by", "member"])
def test_the_database_refuses_confirmation_by_the_proposer_or_the_person_itself(world, grant, own):
    with pytest.raises(IntegrityError) as error, transaction.atomic(), acting(None, REASON):
        AdministratorGrant.objects.update(status="effective", decided_by=getattr(grant, own))
    assert "administrator_grant" in str(error.value)
    with pytest.raises(IntegrityError), transaction.atomic(), acting(None, REASON):
        AdministratorGrant.objects.update(status="effective")


def test_an_ended_member_is_no_longer_proposed(world, grant):
    services.deactivate_member(actor=world.user("edc", "administrator"), organization=world.edc, user=grant.member)
    grant.refresh_from_db()
    assert grant.status == "rejected"


def test_the_workplace_makes_no_administrator(world, client_of):
    client, viewer = client_of(world.user("operator", "administrator")), world.user("operator", "viewer")
    body = {"user": viewer.pk, "organization": world.operator.pk, "role": "administrator", "reason": "quick"}
    answer = client.post(reverse("admin:moc_membership_add"), body, follow=True)
    assert "second person" in answer.content.decode() and not Membership.objects.filter(user=viewer, role="administrator").exists()


def test_the_pages_show_confirm_and_reject(world, client_of, second, grant):
    confirm, reject = (reverse(f"grant_{name}", args=[grant.uuid]) for name in ("confirm", "reject"))
    proposer = client_of(world.user("edc", "administrator"))
    assert "Waits for a second person" in proposer.get(reverse("member_list", args=["edc"])).content.decode()
    assert proposer.post(confirm).status_code == 404 and proposer.get(reject).status_code == 404
    client = client_of(second)
    assert str(grant.member) in client.get(reverse("grants")).content.decode()
    assert "Administrators to confirm" in client.get("/").content.decode()
    stale = sign_in(client_of(second), second, ago=3600)
    assert stale.post(confirm).url.startswith(reverse("account_reauthenticate")) and not is_administrator(grant)
    assert client.get(reject).status_code == 200
    assert client.post(confirm).status_code == 302 and is_administrator(grant)
