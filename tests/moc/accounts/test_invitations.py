"""Invitations: a link that is good once, for some days, until revoked; accepted with a new or an existing account. N2."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Membership, User
from moc.accounts import invitations, services
from moc.accounts.models import AdministratorGrant, Invitation
from moc.errors import UserError
from moc.history import acting
from moc.lifecycle import TransitionRefused
from tests.factories.world import PASSWORD, REASON

ADDRESS = "new.person@example.org"


def key_in(mail) -> str:
    return re.search(r"/invitation/([^/\s]+)/", mail.body)[1]


def invite(world, **changes) -> Invitation:
    wanted = {"email": "New.Person@example.org", "name": "New Person", "roles": ["filer", "viewer"]} | changes
    actor, organization = wanted.pop("actor", world.user("aggregator", "administrator")), wanted.pop("organization", world.aggregator)
    return invitations.invite(actor=actor, organization=organization, **wanted)


def state() -> list:
    return [list(model.objects.order_by("pk").values()) for model in (User, Membership, Invitation)]


def accept(key: str, **given) -> User:
    return invitations.accept(key=key, **{"name": "New Name", "password": PASSWORD} | given)


def test_an_invited_person_opens_the_account_once(world, mailoutbox):
    invitation = invite(world)
    key = key_in(mailoutbox[0])
    assert not User.objects.filter(email=ADDRESS).exists() and key not in str(Invitation.objects.values())
    assert invitations.invited(key) == invitation
    user = accept(key)
    assert user.check_password(PASSWORD) and user.name == "New Name" and user.email == ADDRESS
    assert services.roles_in(world.aggregator, user) == {"filer", "viewer"}
    assert Membership.history.model.objects.filter(user=user).first().history_user == user
    invitation.refresh_from_db()
    assert invitation.status == "accepted" and invitation.accepted_by == user
    with pytest.raises(UserError) as refusal:
        accept(key)
    assert refusal.value.code == "INVITATION_VOID"


def test_an_existing_account_accepts_only_by_itself(world, mailoutbox):
    viewer, other = world.user("aggregator2", "viewer"), world.user("aggregator2", "filer")
    invite(world, email=viewer.email.upper())
    key = key_in(mailoutbox[0])
    for given in ({}, {"user": other}):
        with pytest.raises(UserError) as refusal:
            accept(key, **given)
        assert refusal.value.code == "OTHER_ADDRESS"
    assert not services.roles_in(world.aggregator, viewer)
    invitations.accept(key=key, user=viewer)
    assert services.roles_in(world.aggregator, viewer) == {"filer", "viewer"} and services.roles_in(world.aggregator2, viewer) == {"viewer"}


@pytest.mark.parametrize("how", ["replaced", "revoked", "old", "forged"])
def test_a_link_is_void_when_replaced_revoked_old_or_forged(world, mailoutbox, how):
    invitation, actor = invite(world), world.user("aggregator", "administrator")
    key = key_in(mailoutbox[0])
    if how == "replaced":
        invitations.send_again(actor=actor, invitation=invitation)
        assert invitations.invited(key_in(mailoutbox[1])) == invitation
    elif how == "revoked":
        invitations.revoke(actor=actor, invitation=invitation)
        with pytest.raises(UserError):
            invitations.send_again(actor=actor, invitation=invitation)
        with pytest.raises(TransitionRefused):
            invitations.revoke(actor=actor, invitation=invitation)
    elif how == "old":
        with acting(None, REASON):
            Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        key = key[:-1] + ("A" if key[-1] != "A" else "B")
    before = state()
    assert invitations.invited(key) is None
    with pytest.raises(UserError):
        accept(key)
    assert state() == before


@pytest.mark.parametrize("actor", [("aggregator", "approver"), ("aggregator2", "administrator"), ("edc", "administrator")])
def test_only_administrators_of_the_organisation_invite(world, actor, mailoutbox):
    invitation, before = invite(world, email="other@example.org"), state()
    deeds = (
        lambda user: invite(world, actor=user),
        lambda user: invitations.revoke(actor=user, invitation=invitation),
        lambda user: invitations.send_again(actor=user, invitation=invitation),
    )
    before = state()
    for deed in deeds:
        with pytest.raises(policy.NotPermitted):
            deed(world.user(*actor))
    assert state() == before and len(mailoutbox) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"roles": ["reviewer"]}, "ROLE_UNKNOWN"),
        ({"roles": []}, "ROLE_UNKNOWN"),
        ({"email": "viewer@aggregator.example.org"}, "MEMBER_ALREADY"),
        ({"email": "administrator@aggregator.example.org", "roles": ["administrator"]}, "OWN_ROLES"),
        ({"email": "Asked@example.org"}, "INVITED"),
    ],
)
def test_refused_invitations_change_nothing(world, changes, code, mailoutbox):
    invite(world, email="asked@example.org")
    before = state()
    with pytest.raises(UserError) as refusal:
        invite(world, **changes)
    assert refusal.value.code == code and state() == before and len(mailoutbox) == 1


def test_an_invitation_that_cannot_be_sent_is_not_made(world, monkeypatch):
    before = state()
    monkeypatch.setattr(invitations, "send_mail", lambda *args: (_ for _ in ()).throw(ConnectionRefusedError()))
    with pytest.raises(UserError) as refusal:
        invite(world)
    assert refusal.value.code == "MAIL_FAILED" and state() == before


def test_an_invited_administrator_waits_for_a_second_person(world, mailoutbox):
    invite(world, roles=["administrator", "filer"])
    user = accept(key_in(mailoutbox[0]))
    assert services.roles_in(world.aggregator, user) == {"filer"}
    assert AdministratorGrant.objects.get(member=user).proposed_by == world.user("aggregator", "administrator")


def test_the_database_keeps_the_lifecycle_of_an_invitation(world):
    invitation = invite(world)
    invitations.revoke(actor=world.user("aggregator", "administrator"), invitation=invitation)
    with pytest.raises(IntegrityError), transaction.atomic(), acting(None, REASON):
        Invitation.objects.update(status="open")


def test_pages_of_an_invitation_for_strangers_owners_and_others(world, client_of, client, mailoutbox):
    viewer = world.user("aggregator2", "viewer")
    invite(world, email=viewer.email)
    url = reverse("account_invitation", args=[key_in(mailoutbox[0])])
    assert "Sign in with it" in client.get(url).content.decode()
    assert client.post(url, {"name": "X", "password": PASSWORD, "again": PASSWORD}).status_code == 422
    other = client_of(world.user("edc", "viewer"))
    assert other.post(url).status_code == 422 and not services.roles_in(world.aggregator, viewer)
    own = client_of(viewer)
    assert "Accept the invitation" in own.get(url).content.decode()
    assert own.post(url).url == "/" and services.roles_in(world.aggregator, viewer) == {"filer", "viewer"}
    assert "no longer valid" in own.get(url).content.decode() and "no-store" in own.get(url)["Cache-Control"]


def test_open_invitations_are_listed_sent_again_and_revoked_on_the_page(world, client_of, mailoutbox):
    invitation, client = invite(world), client_of(world.user("aggregator", "administrator"))
    assert ADDRESS in client.get(reverse("member_list", args=["aggregator"])).content.decode()
    client.post(reverse("invitation_again", args=["aggregator", invitation.uuid]))
    assert len(mailoutbox) == 2
    assert (
        client_of(world.user("aggregator2", "administrator"))
        .post(reverse("invitation_revoke", args=["aggregator2", invitation.uuid]))
        .status_code
        == 404
    )
    client.post(reverse("invitation_revoke", args=["aggregator", invitation.uuid]))
    assert Invitation.objects.get().status == "revoked"
    assert ADDRESS not in client.get(reverse("member_list", args=["aggregator"])).content.decode()
