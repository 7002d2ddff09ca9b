"""Signing in and out, lockout, forgotten passwords, changed addresses, and how long a session lasts."""

import re
from time import time

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import caches
from django.core.management import call_command
from django.urls import NoReverseMatch, reverse

from moc.access.models import User
from moc.history import acting
from moc.middleware import SEEN, STARTED
from tests.factories.world import PASSWORD, REASON

EMAIL = "viewer@edc.example.org"


def sign_in(client, email=EMAIL, password=PASSWORD, **extra):
    return client.post(reverse("account_login"), {"login": email, "password": password}, **extra)


def signed_in(client) -> bool:
    return client.get(reverse("account_home")).status_code == 200


def test_sign_in_by_any_spelling_and_out(world, client):
    versions = User.history.model.objects.count()
    assert sign_in(client, EMAIL.upper()).status_code == 302 and signed_in(client)
    assert User.objects.get(email=EMAIL).last_login and User.history.model.objects.count() == versions
    assert client.get(reverse("account_logout")).status_code == 200 and signed_in(client)
    client.post(reverse("account_logout"))
    assert not signed_in(client)


def test_closed_accounts_and_machines_do_not_sign_in(world, client):
    with acting(None, REASON):
        User.objects.filter(email=EMAIL).update(is_active=False)
        world.machine.set_password(PASSWORD)
        world.machine.save()
    sign_in(client)
    assert not signed_in(client)
    sign_in(client, world.machine.email)
    assert not signed_in(client)


def test_a_closed_account_ends_its_sessions(world, client):
    sign_in(client)
    with acting(None, REASON):
        User.objects.filter(email=EMAIL).update(is_active=False)
    assert not signed_in(client)


def test_nobody_signs_up(db):
    with pytest.raises(NoReverseMatch):
        reverse("account_signup")


def test_the_wrong_and_the_unknown_look_alike(world, client):
    pages = [sign_in(client, email, "wrong password").content.decode() for email in (EMAIL, "unknown@example.org")]
    errors = [re.findall(r"<li>(.*?)</li>", page) for page in pages]
    assert errors[0] == errors[1] != []


@pytest.mark.parametrize("shared", [False, True])
def test_lockout_after_five_failures_even_with_the_right_password(world, client, settings, shared):
    """Also with the cache that all processes share."""
    if shared:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "moc_cache"}}
        caches["default"].clear()
    for _ in range(5):
        sign_in(client, password="wrong password")
    sign_in(client)
    assert not signed_in(client)
    sign_in(client, "viewer@edc2.example.org")
    assert signed_in(client)


def test_too_many_attempts_from_one_address(world, client):
    answers = [sign_in(client, f"user{n}@example.org", "wrong password").status_code for n in range(31)]
    assert answers[-1] == 429 and 429 not in answers[:30]


def test_a_forgotten_password(world, client, mailoutbox):
    client.post(reverse("account_reset_password"), {"email": "unknown@example.org"})
    assert not mailoutbox
    client.post(reverse("account_reset_password"), {"email": EMAIL})
    url = re.search(r"http://testserver(\S+)", mailoutbox[0].body)[1]
    form = client.get(url, follow=True)
    new = "another horse battery"
    done = client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert done.url == reverse("account_reset_password_from_key_done")
    assert "no longer valid" in client.get(url, follow=True).content.decode()
    sign_in(client)
    assert not signed_in(client)
    sign_in(client, password=new)
    assert signed_in(client)


def test_a_changed_password_ends_other_sessions(world, client, client_of):
    other = client_of(User.objects.get(email=EMAIL))
    assert signed_in(other)
    sign_in(client)
    new = "another horse battery"
    body = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert client.post(reverse("account_change_password"), body).status_code == 302
    assert signed_in(client) and not signed_in(other)


def ask_for(client, address: str) -> None:
    """Ask to change one's address; the password is asked for again, whenever it was given."""
    response = client.post(reverse("account_email"), {"email": address, "action_add": "on"})
    assert response.url.startswith(reverse("account_reauthenticate")) and client.get(response.url).status_code == 200
    client.post(response.url, {"password": PASSWORD, "next": reverse("account_email")})


def test_a_new_address_counts_once_it_is_confirmed(world, client, mailoutbox):
    sign_in(client)
    ask_for(client, "new@example.org")
    assert "not confirmed yet" in client.get(reverse("account_email")).content.decode()
    user = User.objects.get(email=EMAIL)
    url = re.search(r"http://testserver(\S+)", mailoutbox[0].body)[1]
    assert client.get(url).status_code == 200
    client.post(url)
    user.refresh_from_db()
    assert user.email == "new@example.org"
    version = User.history.model.objects.filter(id=user.pk).first()
    assert version.history_user == user and "confirmed" in version.history_change_reason
    client.post(reverse("account_logout"))
    sign_in(client)
    assert not signed_in(client)
    sign_in(client, "new@example.org")
    assert signed_in(client)


def test_the_address_of_somebody_else_cannot_be_taken(world, client, mailoutbox):
    sign_in(client)
    ask_for(client, "viewer@edc2.example.org")
    client.post(re.search(r"http://testserver(\S+)", mailoutbox[0].body)[1])
    assert User.objects.filter(email=EMAIL).exists() and User.objects.filter(email="viewer@edc2.example.org").count() == 1


@pytest.mark.parametrize(
    ("stamp", "ago", "alive"), [(SEEN, 3500, True), (SEEN, 3700, False), (STARTED, 86300, True), (STARTED, 86500, False)]
)
def test_sessions_end_after_an_hour_of_rest_and_after_a_day(world, client, stamp, ago, alive):
    sign_in(client)
    session = client.session
    session[STARTED] = session[SEEN] = int(time())
    session[stamp] = int(time()) - ago
    session.save()
    assert signed_in(client) is alive
    assert Session.objects.filter(pk=session.session_key).exists() is alive


def test_sessions_are_not_written_at_every_request(world, client):
    sign_in(client)
    signed_in(client)
    before = client.session[SEEN]
    assert signed_in(client) and client.session[SEEN] == before


def test_clearing_sessions_works_as_the_app_role(world, client):
    sign_in(client)
    call_command("clearsessions")
