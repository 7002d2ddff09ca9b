"""A hundred failures in a row lock an account; a new password or an administrator opens it. N2."""

import re

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse

from moc.access import policy
from moc.access.models import User
from moc.accounts import lockout
from moc.accounts.models import SignInFailures
from tests.factories.world import PASSWORD

EMAIL = "viewer@edc.example.org"


@pytest.fixture
def user(world) -> User:
    return User.objects.get(email=EMAIL)


@pytest.fixture(autouse=True)
def _no_rate_limits(settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = False


def log_in(client, password: str = PASSWORD) -> bool:
    client.post(reverse("account_login"), {"login": EMAIL, "password": password})
    return client.get(reverse("account_home")).status_code == 200


def fail(user: User, times: int) -> None:
    SignInFailures.objects.update_or_create(user=user, defaults={"count": times})


def test_the_hundredth_failure_locks_and_writes_once(user, client, mailoutbox):
    fail(user, 98)
    assert not log_in(client, "wrong") and not lockout.is_locked(user) and not mailoutbox
    assert not log_in(client, "wrong") and lockout.is_locked(user)
    assert mailoutbox[0].to == [EMAIL] and reverse("account_reset_password") in mailoutbox[0].body
    assert not log_in(client) and not log_in(client, "wrong") and len(mailoutbox) == 1


def test_a_success_ends_the_row_of_failures(user, client):
    fail(user, 99)
    assert log_in(client) and SignInFailures.objects.get().count == 0


def test_a_locked_account_looks_like_a_wrong_password(user, client):
    pages = []
    for locked in (False, True):
        if locked:
            fail(user, 99)
            lockout.count_failure(user)
        page = client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD if locked else "wrong"})
        pages.append(re.findall(r"<li>(.*?)</li>", page.content.decode()))
    assert pages[0] == pages[1] != []


def test_a_new_password_by_mail_opens_it(user, client, mailoutbox):
    fail(user, 99)
    lockout.count_failure(user)
    client.post(reverse("account_reset_password"), {"email": EMAIL})
    url = re.search(r"http://testserver(\S+)", mailoutbox[-1].body)[1]
    form = client.get(url, follow=True)
    new = "another horse battery"
    client.post(form.request["PATH_INFO"], {"password1": new, "password2": new})
    assert not lockout.is_locked(user) and log_in(client, new)


def test_an_administrator_of_the_organisation_opens_it_and_no_other(world, user, client_of):
    fail(user, 99)
    lockout.count_failure(user)
    for other in (world.user("edc2", "administrator"), world.user("edc", "reviewer")):
        with pytest.raises(policy.NotPermitted):
            lockout.unlock(actor=other, organization=world.edc, user=user)
    administrator = client_of(world.user("edc", "administrator"))
    assert "Locked" in administrator.get(reverse("member_list", args=["edc"])).content.decode()
    administrator.post(reverse("member_unlock", args=["edc", user.uuid]))
    assert not lockout.is_locked(user)


def test_wrong_codes_count_and_a_locked_account_takes_no_right_one(user, client):
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": ""})
    fail(user, 0)
    client.post(reverse("account_login"), {"login": EMAIL, "password": PASSWORD})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("allauth.mfa.totp.internal.auth.TOTP.validate_code", lambda self, code: code == "123456")
        client.post(reverse("mfa_authenticate"), {"code": "000000"})
        assert SignInFailures.objects.get().count == 1
        fail(user, 99)
        lockout.count_failure(user)
        assert client.post(reverse("mfa_authenticate"), {"code": "123456"}).status_code == 200
        lockout.clear(user)
        assert client.post(reverse("mfa_authenticate"), {"code": "123456"}).status_code == 302


def test_failures_at_no_account_are_nobodys(world):
    lockout.count_failure_at("nobody-at-all@example.com")
    lockout.count_failure_at(world.machine.email)
    assert not SignInFailures.objects.exists()
