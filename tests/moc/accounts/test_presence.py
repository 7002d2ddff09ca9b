"""Showing again who one is before a sensitive act: pages, forms that are kept over the detour or asked for again, admin, API. N2."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from moc.access import presence
from moc.access.models import ApiToken, Membership, Organization, User
from moc.accounts import services
from tests.factories.presence import sign_in
from tests.factories.world import PASSWORD

CONFIRM = reverse("account_reauthenticate")


@pytest.fixture
def administrator(world) -> User:
    return world.user("edc", "administrator")


@pytest.fixture
def stale(administrator, client):
    """A browser whose user signed in twenty minutes ago."""
    return sign_in(client, administrator, ago=1200)


@pytest.mark.parametrize(("ago", "fresh"), [(0, True), (890, True), (910, False)])
def test_a_quarter_of_an_hour(world, client, administrator, ago, fresh):
    sign_in(client, administrator, ago=ago)
    assert (client.get(reverse("token_issue")).status_code == 200) is fresh


def test_the_form_is_carried_out_after_the_detour(world, stale):
    url = reverse("member_end", args=["edc", world.user("edc", "viewer").uuid])
    detour = stale.post(url, {"reason": "has left"})
    assert detour.url.startswith(CONFIRM) and Membership.objects.get(user=world.user("edc", "viewer")).is_active
    done = stale.post(detour.url, {"password": PASSWORD, "next": url})
    assert done.url == reverse("member_list", args=["edc"])
    seat = Membership.objects.get(user=world.user("edc", "viewer"))
    assert not seat.is_active and seat.history.first().history_change_reason == "has left"


def test_a_wrong_password_carries_nothing_out(world, stale):
    url = reverse("member_end", args=["edc", world.user("edc", "viewer").uuid])
    detour = stale.post(url, {"reason": "has left"})
    assert stale.post(detour.url, {"password": "wrong", "next": url}).status_code == 200
    assert Membership.objects.get(user=world.user("edc", "viewer")).is_active and stale.get(url).status_code == 302


def test_the_form_of_one_page_is_not_carried_out_at_another(world, stale):
    url = reverse("member_end", args=["edc", world.user("edc", "viewer").uuid])
    stale.post(url, {"reason": "has left"})
    stale.post(CONFIRM, {"password": PASSWORD, "next": reverse("account_home")})
    assert Membership.objects.get(user=world.user("edc", "viewer")).is_active


def test_a_form_with_a_file_is_asked_for_again_clearly(world, stale):
    url = reverse("token_issue")
    answer = stale.post(url, {"name": "x", "file": SimpleUploadedFile("a.csv", b"a")}, HTTP_REFERER=f"http://testserver{url}?a=1")
    assert answer.url == f"{CONFIRM}?next=%2Faccounts%2Fprofile%2Ftokens%2Fnew%2F%3Fa%3D1"
    assert "send the form again" in stale.get(answer.url).content.decode()
    assert stale.post(answer.url, {"password": PASSWORD, "next": url}).url == url
    assert not ApiToken.objects.exists() and stale.get(url).status_code == 200


def test_the_way_back_is_never_elsewhere(world, stale):
    url = reverse("token_issue")
    answer = stale.post(f"{url}?x=1", {"name": "x"}, HTTP_REFERER="https://evil.example.com/page")
    assert answer.url == f"{CONFIRM}?next=%2F"
    assert stale.post(CONFIRM, {"password": PASSWORD, "next": "https://evil.example.com/"}).url == "/"


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("token_issue", ()),
        ("member_invite", ("edc",)),
        ("provider_change", ("edc",)),
    ],
)
def test_pages_that_ask(stale, name, args):
    url = reverse(name, args=args)
    assert stale.get(url).url.startswith(CONFIRM) and stale.post(url, {}).url.startswith(CONFIRM)


def test_the_workplace_asks_before_it_suspends(world, client):
    operator = sign_in(client, world.user("operator", "administrator"), ago=1200)
    url = reverse("admin:moc_organization_change", args=[world.edc2.pk])
    grants = {f"organizationuserobjectpermission_set-{name}": "0" for name in ("TOTAL_FORMS", "INITIAL_FORMS")}
    body = {"kind": "edc", "name": world.edc2.name, "legal_name": "", "slug": "edc2", "reason": "insolvent", **grants}
    detour = operator.post(url, body)
    assert operator.get(url).status_code == 200 and detour.url.startswith(CONFIRM)
    assert Organization.objects.get(slug="edc2").is_active
    operator.post(detour.url, {"password": PASSWORD, "next": url})
    assert not Organization.objects.get(slug="edc2").is_active


def test_a_browser_at_the_api_is_told_and_tokens_and_machines_are_not_asked(world, administrator, stale, rf):
    request = rf.post("/api/v1/registry/decisions/")
    request.user, request.session, request.auth = administrator, stale.session, None
    with pytest.raises(presence.ConfirmationNeeded) as refusal:
        presence.demand(request)
    assert (refusal.value.code, refusal.value.status) == ("REAUTHENTICATE", 403)
    request.auth = object()
    presence.demand(request)
    request.auth, request.user = None, world.machine
    presence.demand(request)


def test_another_users_records_do_not_count(world, client, administrator):
    sign_in(client, administrator)
    session = client.session
    session["account_authentication_methods_user"] = str(world.user("edc", "viewer").pk)
    session.save()
    assert client.get(reverse("token_issue")).status_code == 302


def test_roles_stay_as_they_are_without_the_confirmation(world, stale):
    viewer = world.user("edc", "viewer")
    stale.post(reverse("member_roles", args=["edc", viewer.uuid]), {"roles": ["reviewer"]})
    assert services.roles_in(world.edc, viewer) == {"viewer"}
