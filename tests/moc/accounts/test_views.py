"""The account pages: who gets which, and that a refusal changes nothing."""

import re

import pytest
from django.db import transaction
from django.urls import reverse

from moc.access.models import ApiToken, Membership, User
from moc.access.roles import ROLES, permissions_of
from tests.factories.world import PASSWORD

SEATS = [(kind, role) for kind in ROLES for role in ROLES[kind]] + [(f"{kind}2", "administrator") for kind in ROLES]


def urls(world) -> list[tuple[str, str, dict]]:
    """Every page about the first aggregator's members: method, address, and a body that succeeds for its administrator."""
    slug, viewer = world.aggregator.slug, world.user("aggregator", "viewer").uuid
    invitation = {"email": "someone@example.org", "name": "Someone", "roles": ["viewer"]}
    return [
        ("get", reverse("member_list", args=[slug]), {}),
        ("get", reverse("member_invite", args=[slug]), {}),
        ("post", reverse("member_invite", args=[slug]), invitation),
        ("get", reverse("member_roles", args=[slug, viewer]), {}),
        ("post", reverse("member_roles", args=[slug, viewer]), {"roles": ["filer"]}),
        ("get", reverse("member_end", args=[slug, viewer]), {}),
        ("post", reverse("member_end", args=[slug, viewer]), {"reason": "left"}),
    ]


def test_members_pages_for_everybody(world, client_of):
    """Administrators of the organisation get and change; everybody else gets 404 and changes nothing, the operator's too."""
    for organization, role in SEATS:
        client = client_of(world.user(organization, role))
        kind = organization.rstrip("2")
        may = "manage_members" in permissions_of(kind, role) and organization == "aggregator"
        point = transaction.savepoint()
        for method, url, body in urls(world):
            before = list(Membership.objects.order_by("pk").values()), User.objects.count()
            status = getattr(client, method)(url, body).status_code
            if may:
                assert status == (200 if method == "get" else 302), (organization, role, url)
            else:
                assert status == 404, (organization, role, method, url)
                assert before == (list(Membership.objects.order_by("pk").values()), User.objects.count())
        transaction.savepoint_rollback(point)


def test_strangers_and_machines_are_sent_to_sign_in(world, client_of):
    for user in (None, world.machine):
        for method, url, body in [*urls(world), ("get", reverse("members"), {}), ("get", reverse("account_home"), {})]:
            response = getattr(client_of(user), method)(url, body)
            assert response.status_code == 302 and response.url.startswith(reverse("account_login"))


def test_every_write_succeeds_for_the_administrator(world, client_of):
    client = client_of(world.user("aggregator", "administrator"))
    for method, url, body in urls(world):
        assert getattr(client, method)(url, body).status_code == (200 if method == "get" else 302)
    assert not Membership.objects.get(user=world.user("aggregator", "viewer"), role="filer").is_active
    assert client.get(reverse("members")).url == reverse("member_list", args=["aggregator"])
    assert client_of(world.user("aggregator", "filer")).get(reverse("members")).status_code == 404


def test_members_of_other_organisations_are_not_found(world, client_of):
    client = client_of(world.user("aggregator", "administrator"))
    stranger = world.user("aggregator2", "viewer").uuid
    for name in ("member_roles", "member_end"):
        assert client.get(reverse(name, args=["aggregator", stranger])).status_code == 404
    assert client.get(reverse("member_sessions", args=["aggregator", stranger])).status_code == 404
    assert client.post(reverse("member_unlock", args=["aggregator", stranger])).status_code == 404


def test_a_forbidden_change_is_explained_in_the_form(world, client_of):
    administrator = world.user("aggregator", "administrator")
    url = reverse("member_roles", args=["aggregator", administrator.uuid])
    response = client_of(administrator).post(url, {"roles": ["administrator", "auditor"]})
    assert response.status_code == 422 and "Nobody changes their own roles" in response.content.decode()


def test_from_invitation_to_the_first_page(world, client_of, client, mailoutbox):
    """The whole way: invited, link followed, password set, signed in."""
    administrator = client_of(world.user("edc", "administrator"))
    body = {"email": "new@example.org", "name": "New", "roles": ["reviewer"]}
    assert administrator.post(reverse("member_invite", args=["edc"]), body).status_code == 302
    url = re.search(r"http://localhost:8000(\S+)", mailoutbox[0].body)[1]
    assert not User.objects.filter(email="new@example.org").exists()
    assert "new@example.org" in client.get(url).content.decode()
    weak = client.post(url, {"name": "New", "password": "short", "again": "short"})
    assert weak.status_code == 422 and "too short" in weak.content.decode()
    good = {"name": "New Reviewer", "password": PASSWORD, "again": PASSWORD}
    assert client.post(url, good).url == reverse("account_login")
    assert client.post(url, good).status_code == 422
    signed_in = client.post(reverse("account_login"), {"login": "new@example.org", "password": PASSWORD})
    assert signed_in.status_code == 302 and signed_in.url == "/"
    assert "Reviewer" in client.get(reverse("account_home")).content.decode()


def test_a_token_is_shown_once_and_revoked_by_its_owner(world, client_of):
    filer = client_of(world.user("aggregator", "filer"))
    assert filer.post(reverse("token_issue"), {"name": ""}).status_code == 422
    page = filer.post(reverse("token_issue"), {"name": "script"})
    secret = re.search(r"moc_[\w-]{40,}", page.content.decode())[0]
    token = ApiToken.objects.get(digest=ApiToken.digest_of(secret))
    assert "no-store" in page["Cache-Control"]
    home = filer.get(reverse("account_home")).content.decode()
    assert "script" in home and secret not in home
    url = reverse("token_revoke", args=[token.uuid])
    assert client_of(world.user("aggregator", "viewer")).post(url).status_code == 404
    assert filer.get(url).status_code == 405 and ApiToken.objects.get().revoked_at is None
    assert filer.post(url).status_code == 302 and ApiToken.objects.get().revoked_at


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_reset_password",
        "account_reset_password_done",
        "account_reset_password_from_key_done",
        "account_inactive",
        "account_sign_up",
        "account_terms",
        "organization_sign_in",
    ],
)
def test_pages_for_whoever_is_not_signed_in(db, client, name):
    response = client.get(reverse(name))
    assert response.status_code == 200 and "moc-page" in response.content.decode()


def test_pages_of_ones_own_account(world, client_of):
    client = client_of(world.user("edc", "viewer"))
    for name in (
        "account_home",
        "account_change_password",
        "account_logout",
        "token_issue",
        "account_sessions",
        "mfa_index",
        "mfa_activate_totp",
        "mfa_add_webauthn",
    ):
        assert client.get(reverse(name)).status_code == 200, name
    assert client.get(reverse("account_email")).status_code == 200
