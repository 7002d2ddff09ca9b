"""Roles and memberships: who may, what is refused, what history says; refusals change nothing. N2, N3."""

from datetime import timedelta

import pytest
from django.utils import timezone

from moc.access import policy
from moc.access.models import ApiToken, Membership, User
from moc.accounts import invitations, services
from moc.errors import UserError
from moc.history import acting
from tests.factories.world import machine


def state() -> list:
    return [list(User.objects.order_by("pk").values()), list(Membership.objects.order_by("pk").values())]


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
        lambda: invitations.invite(
            actor=administrator, organization=world.aggregator, email=world.machine.email, name="X", roles=["viewer"]
        ),
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
