"""Sessions: listed, ended one by one or all others, by oneself and by the organisation's administrator. N2."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from moc.access import policy
from moc.access.models import User
from moc.accounts import sessions
from tests.factories.world import PASSWORD

EMAIL = "viewer@edc.example.org"


def browser(agent: str) -> Client:
    client = Client(HTTP_USER_AGENT=agent)
    client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    return client


def name_of(session: UserSession) -> dict:
    return {"session": sessions.named([session])[0][1]}


def alive(client: Client) -> bool:
    return client.get(reverse("account_home")).status_code == 200


@pytest.fixture
def browsers(world) -> list[Client]:
    return [browser(f"Browser {number}") for number in range(3)]


def test_one_sees_every_browser_and_ends_one_of_them(browsers):
    first, second, third = browsers
    page = first.get(reverse("account_sessions")).content.decode()
    assert all(f"Browser {number}" in page for number in range(3)) and page.count("This one") == 1
    other = UserSession.objects.get(user_agent="Browser 1")
    first.post(reverse("account_sessions"), name_of(other))
    assert alive(first) and not alive(second) and alive(third)
    assert "Browser 1" not in first.get(reverse("account_sessions")).content.decode()


def test_all_others_end_at_once(browsers):
    browsers[0].post(reverse("account_sessions"))
    assert [alive(client) for client in browsers] == [True, False, False]


def test_a_session_that_ended_by_itself_is_not_listed(browsers):
    browsers[2].post(reverse("account_logout"))
    assert "Browser 2" not in browsers[0].get(reverse("account_sessions")).content.decode()


def test_nobody_ends_a_strangers_session(world, browsers, client_of):
    session = UserSession.objects.get(user_agent="Browser 0")
    client_of(world.user("edc", "administrator")).post(reverse("account_sessions"), name_of(session))
    client_of(world.user("edc2", "administrator")).post(reverse("member_sessions", args=["edc2", session.user.uuid]), name_of(session))
    other = world.user("edc2", "viewer")
    client_of(world.user("edc2", "administrator")).post(reverse("member_sessions", args=["edc2", other.uuid]), name_of(session))
    with pytest.raises(policy.NotPermitted):
        sessions.end(actor=world.user("edc2", "administrator"), sessions=UserSession.objects.all(), organization=world.edc)
    assert all(alive(client) for client in browsers)


def test_the_administrator_ends_a_members_sessions(world, browsers, client_of):
    user, client = User.objects.get(email=EMAIL), client_of(world.user("edc", "administrator"))
    url = reverse("member_sessions", args=["edc", user.uuid])
    assert "Browser 2" in client.get(url).content.decode()
    client.post(url, name_of(UserSession.objects.get(user_agent="Browser 1")))
    assert [alive(each) for each in browsers] == [True, False, True]
    client.post(url)
    assert not any(alive(each) for each in browsers)


def test_the_page_asks_the_database_the_same_however_many(world, browsers, django_assert_num_queries):
    client = browsers[0]
    client.get(reverse("account_sessions"))
    with django_assert_num_queries(6):
        client.get(reverse("account_sessions"))
