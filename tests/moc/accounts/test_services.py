"""Invitations, roles and memberships: who may, what is refused, what history says; refusals change nothing."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from moc.access import policy
from moc.access.models import ApiToken, Membership, User
from moc.accounts import services
from moc.errors import UserError
from moc.history import acting
from tests.factories.world import PASSWORD, machine


def key_in(mail) -> str:
    return re.search(r"/invitation/([^/\s]+)/", mail.body)[1]


def invite(world, **changes) -> User:
    wanted = {"email": "New.Person@example.org", "name": "New Person", "roles": ["filer", "viewer"]} | changes
    actor, organization = wanted.pop("actor", world.user("aggregator", "administrator")), wanted.pop("organization", world.aggregator)
    return services.invite(actor=actor, organization=organization, **wanted)


def state() -> list:
    return [list(User.objects.order_by("pk").values()), list(Membership.objects.order_by("pk").values())]


def test_an_invited_person_opens_the_account_once(world, mailoutbox):
    user = invite(world)
    assert user.email == "new.person@example.org" and not user.has_usable_password()
    assert services.roles_in(world.aggregator, user) == {"filer", "viewer"}
    version = Membership.history.model.objects.filter(user=user).first()
    assert version.history_user == world.user("aggregator", "administrator") and "invited" in version.history_change_reason
    key = key_in(mailoutbox[0])
    assert services.invited(key) == user
    accepted = services.accept(key=key, name="New Name", password=PASSWORD)
    assert accepted.check_password(PASSWORD) and accepted.name == "New Name"
    assert User.history.model.objects.filter(id=user.pk).first().history_user == user
    assert services.invited(key) is None
    with pytest.raises(UserError):
        services.accept(key=key, name="Again", password=PASSWORD)


def test_a_link_is_void_when_replaced_forged_or_old(world, mailoutbox, settings):
    user = invite(world)
    services.invite_again(actor=world.user("aggregator", "administrator"), organization=world.aggregator, user=user)
    first, second = (key_in(mail) for mail in mailoutbox)
    user.refresh_from_db()
    assert services.invited(first) is None and services.invited(second) == user
    assert services.invited(second[:-1] + "x") is None and services.invited("rubbish") is None
    settings.MOC_INVITATION_DAYS = -1
    assert services.invited(second) is None


def test_whoever_has_an_account_is_added_without_a_link(world, mailoutbox):
    viewer = world.user("aggregator2", "viewer")
    assert invite(world, email=viewer.email.upper()) == viewer
    assert "/invitation/" not in mailoutbox[0].body and "/accounts/login/" in mailoutbox[0].body
    assert viewer.name == "Viewer of aggregator2"


@pytest.mark.parametrize("actor", [("aggregator", "approver"), ("aggregator2", "administrator"), ("edc", "administrator")])
def test_only_administrators_of_the_organisation_invite(world, actor, mailoutbox):
    before = state()
    with pytest.raises(policy.NotPermitted):
        invite(world, actor=world.user(*actor))
    assert state() == before and not mailoutbox


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"roles": ["reviewer"]}, "ROLE_UNKNOWN"),
        ({"roles": []}, "ROLE_UNKNOWN"),
        ({"email": "viewer@aggregator.example.org"}, "MEMBER_ALREADY"),
        ({"email": "administrator@aggregator.example.org", "roles": ["administrator"]}, "OWN_ROLES"),
    ],
)
def test_refused_invitations_change_nothing(world, changes, code, mailoutbox):
    before = state()
    with pytest.raises(UserError) as refusal:
        invite(world, **changes)
    assert refusal.value.code == code and state() == before and not mailoutbox


def test_an_invitation_that_cannot_be_sent_is_not_made(world, monkeypatch):
    before = state()
    monkeypatch.setattr(services, "send_mail", lambda *args: (_ for _ in ()).throw(ConnectionRefusedError()))
    with pytest.raises(UserError) as refusal:
        invite(world)
    assert refusal.value.code == "MAIL_FAILED" and state() == before


def test_roles_are_set_exactly_and_history_tells(world):
    actor, viewer = world.user("edc", "administrator"), world.user("edc", "viewer")
    services.set_roles(actor=actor, organization=world.edc, user=viewer, roles=["reviewer", "approver"])
    assert services.roles_in(world.edc, viewer) == {"reviewer", "approver"}
    services.set_roles(actor=actor, organization=world.edc, user=viewer, roles=["viewer"])
    assert services.roles_in(world.edc, viewer) == {"viewer"}
    assert (
        Membership.history.model.objects.filter(user=viewer, history_user=actor).count() == 6
    )  # 2 new and 1 ended, then 2 ended and 1 revived


def test_nobody_changes_their_own_roles(world):
    actor, before = world.user("edc", "administrator"), state()
    for change in (
        lambda: services.set_roles(actor=actor, organization=world.edc, user=actor, roles=["administrator", "auditor"]),
        lambda: services.deactivate_member(actor=actor, organization=world.edc, user=actor),
    ):
        with pytest.raises(UserError) as refusal:
            change()
        assert refusal.value.code == "OWN_ROLES"
    assert state() == before


def test_a_machine_is_neither_invited_nor_given_other_roles(world):
    administrator, before = world.user("aggregator", "administrator"), state()
    for change in (
        lambda: services.invite(actor=administrator, organization=world.aggregator, email=world.machine.email, name="X", roles=["viewer"]),
        lambda: services.set_roles(actor=administrator, organization=world.aggregator, user=world.machine, roles=["viewer"]),
    ):
        with pytest.raises(UserError) as refusal:
            change()
        assert refusal.value.code == "MACHINE_CLIENT"
    assert state() == before


def test_the_last_administrator_stays(world):
    administrator = world.user("edc", "administrator")
    with acting(None, "system: tests"):
        program = machine(world.edc, "administrator")  # which is no administrator in this sense: it cannot sign in
    before = state()
    with pytest.raises(UserError) as refusal:
        services.set_roles(actor=program, organization=world.edc, user=administrator, roles=["viewer"])
    assert refusal.value.code == "LAST_ADMINISTRATOR"
    with pytest.raises(UserError):
        services.deactivate_member(actor=program, organization=world.edc, user=administrator)
    assert state() == before


def test_an_ended_membership_ends_rights_and_tokens(world):
    filer = world.user("aggregator", "filer")
    token, _ = services.issue_token(actor=filer, name="script")
    services.deactivate_member(
        actor=world.user("aggregator", "administrator"), organization=world.aggregator, user=filer, reason="left the company"
    )
    assert not policy.allows(User.objects.get(pk=filer.pk), "view_registry")
    assert Membership.history.model.objects.filter(user=filer).first().history_change_reason == "left the company"
    token.refresh_from_db()
    assert token.revoked_at <= timezone.now() < token.revoked_at + timedelta(minutes=1)


def test_tokens_are_ones_own_and_few(world):
    filer, viewer = world.user("aggregator", "filer"), world.user("aggregator", "viewer")
    token, secret = services.issue_token(actor=filer, name="script")
    assert secret not in str(ApiToken.objects.values()) and ApiToken.digest_of(secret) == token.digest
    with pytest.raises(policy.NotPermitted):
        services.revoke_token(actor=viewer, token=token)
    services.revoke_token(actor=filer, token=token)
    for number in range(services.MAX_TOKENS):
        services.issue_token(actor=filer, name=f"script {number}")
    with pytest.raises(UserError) as refusal:
        services.issue_token(actor=filer, name="one more")
    assert refusal.value.code == "TOO_MANY_TOKENS"
