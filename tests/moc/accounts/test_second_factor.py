"""The second factor: who must have one, what is shut until then, codes of a real app, and what production refuses. N2."""

import subprocess
import sys
from base64 import b64encode

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.conf import settings as project
from django.core.cache import cache
from django.core.checks import run_checks
from django.urls import reverse

from moc.access.models import Membership, User
from moc.access.roles import ROLES, SECOND_FACTOR
from moc.accounts import factors
from moc.history import acting
from tests.factories.presence import code_of, sign_in
from tests.factories.world import PASSWORD, REASON

EMAIL = "reviewer@edc.example.org"
SEATS = [(kind, role) for kind, roles in ROLES.items() for role in roles]


@pytest.fixture(autouse=True)
def _nobody_is_exempt(settings) -> None:
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = False


def log_in(client, email: str = EMAIL, password: str = PASSWORD):
    return client.post(reverse("account_login"), {"login": email, "password": password})


def set_up_app(client) -> str:
    """Set up an app as a person does: read the key, type the code."""
    page = client.get(reverse("mfa_activate_totp"))
    secret = page.context["form"].secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    assert answer.status_code == 302, answer.content.decode()
    return secret


@pytest.mark.parametrize("seat", SEATS, ids=":".join)
def test_reviewers_approvers_auditors_and_administrators_need_one_and_nobody_else(world, client_of, seat):
    client = client_of(world.user(*seat))
    page, api = client.get("/"), client.get("/api/v1/registry/ders/")
    if seat[1] in SECOND_FACTOR:
        assert page.url == reverse("mfa_index") and api.status_code == 403 and api.json()["code"] == "SECOND-FACTOR"
    else:
        assert page.status_code == api.status_code == 200


def test_an_ended_role_needs_none_and_a_new_one_does(world, client_of):
    reviewer, viewer = world.user("edc", "reviewer"), world.user("edc", "viewer")
    shut, open_ = client_of(reviewer), client_of(viewer)
    assert shut.get("/").status_code == 302 and open_.get("/").status_code == 200
    with acting(None, REASON):
        Membership.objects.filter(user=reviewer).update(is_active=False)
        Membership.objects.create(user=viewer, organization=world.edc, role="auditor")
    assert shut.get("/").status_code == 200 and open_.get("/").status_code == 302


def test_until_then_nothing_works_but_setting_it_up_and_signing_out(world, client):
    log_in(client)
    for name in ("account_home", "members", "token_issue", "account_sessions", "admin:index", "account_email"):
        for method in (client.get, client.post):
            assert method(reverse(name)).url == reverse("mfa_index"), name
    for name in ("mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn"):
        assert client.get(reverse(name)).status_code == 200, name
    assert client.post(reverse("account_logout")).status_code == 302
    assert client.get("/").url.startswith(reverse("account_login"))


def test_demonstration_logins_are_exempt_by_the_setting_and_real_addresses_never(world, client_of, settings):
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = True
    reviewer = world.user("edc", "reviewer")
    assert client_of(reviewer).get("/").status_code == 200
    with acting(None, REASON):
        User.objects.filter(pk=reviewer.pk).update(email="reviewer@example.org.utility.com")
    assert client_of(User.objects.get(pk=reviewer.pk)).get("/").status_code == 302


def test_signing_in_with_the_codes_of_an_app(world, client):
    log_in(client)
    secret = set_up_app(client)
    assert client.get("/").status_code == 200
    assert secret not in str(Authenticator.objects.values()), "the key is sealed"
    client.post(reverse("account_logout"))
    assert log_in(client).url == reverse("mfa_authenticate") and client.get("/").status_code == 302
    for wrong in ("000000", code_of(secret, -4), code_of(secret, 4)):
        assert client.post(reverse("mfa_authenticate"), {"code": wrong}).status_code == 200
        assert client.get("/").status_code == 302
    assert client.post(reverse("mfa_authenticate"), {"code": code_of(secret)}).url == "/"
    assert client.get("/").status_code == 200


def test_a_code_works_once(world, client):
    log_in(client)
    secret = set_up_app(client)
    client.post(reverse("account_logout"))
    code = code_of(secret)
    log_in(client)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 302
    client.post(reverse("account_logout"))
    log_in(client)
    assert client.post(reverse("mfa_authenticate"), {"code": code}).status_code == 200 and client.get("/").status_code == 302


def test_a_wrong_code_sets_nothing_up(world, client):
    log_in(client)
    client.get(reverse("mfa_activate_totp"))
    assert client.post(reverse("mfa_activate_totp"), {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists() and client.get("/").status_code == 302


def test_recovery_codes_let_in_once_each(world, client):
    log_in(client)
    set_up_app(client)
    assert client.post(reverse("mfa_generate_recovery_codes")).status_code == 302
    kept = Authenticator.objects.get(type=Authenticator.Type.RECOVERY_CODES)
    code = RecoveryCodes(kept).get_unused_codes()[0]
    assert code in client.get(reverse("mfa_view_recovery_codes")).content.decode()
    assert code in client.get(reverse("mfa_download_recovery_codes")).content.decode()
    for allowed in (True, False):
        client.post(reverse("account_logout"))
        log_in(client)
        client.post(reverse("mfa_authenticate"), {"code": code})
        assert (client.get("/").status_code == 200) is allowed


def test_the_last_factor_stays_for_whoever_needs_one(world, client):
    log_in(client)
    set_up_app(client)
    assert client.get(reverse("mfa_deactivate_totp")).status_code == 200
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert answer.status_code == 200 and "cannot" in answer.content.decode() and Authenticator.objects.filter(type="totp").exists()
    passkey = Authenticator.objects.create(user=User.objects.get(email=EMAIL), type=Authenticator.Type.WEBAUTHN, data={"name": "key"})
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302 and not Authenticator.objects.filter(type="totp").exists()
    client.post(reverse("mfa_remove_webauthn", args=[passkey.pk]))
    assert Authenticator.objects.filter(pk=passkey.pk).exists()


def test_whoever_needs_none_may_remove_it(world, client):
    log_in(client, "viewer@edc.example.org")
    set_up_app(client)
    assert client.post(reverse("mfa_deactivate_totp")).status_code == 302 and not Authenticator.objects.exists()


def test_a_session_that_has_shown_it_costs_no_query(world, client_of, django_assert_num_queries, rf):
    user = world.user("edc", "reviewer")
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    request = rf.get("/")
    request.user, request.session = user, client_of(user).session
    assert factors.is_missing(request) is False
    with django_assert_num_queries(0):
        assert factors.is_missing(request) is False


def test_another_users_word_does_not_count(world, client_of):
    client = client_of(world.user("edc", "reviewer"))
    session = client.session
    session[factors.PROVED] = world.user("edc", "approver").pk
    session.save()
    assert client.get("/").status_code == 302


def test_a_role_s_holder_with_a_factor_confirms_with_it_and_not_with_the_password(world, client_of):
    user = world.user("edc", "administrator")
    client = client_of(user)
    secret = set_up_app(client)
    sign_in(client, user, ago=3600)
    url = reverse("token_issue")
    detour = client.get(url).url
    assert detour.startswith(reverse("mfa_reauthenticate"))
    assert client.get(reverse("account_reauthenticate")).url.startswith(reverse("mfa_reauthenticate"))
    assert client.post(detour, {"code": "000000", "next": url}).status_code == 200 and client.get(url).status_code == 302
    cache.clear()  # in which the code that set the app up counts as used
    assert client.post(detour, {"code": code_of(secret), "next": url}).url == url and client.get(url).status_code == 200


def test_a_deployment_that_exempts_anybody_is_an_error(settings):
    assert "moc.E010" not in {error.id for error in run_checks(include_deployment_checks=True)}
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = True
    assert "moc.E010" in {error.id for error in run_checks(include_deployment_checks=True)}


@pytest.mark.parametrize(("asked", "starts"), [(None, True), ("no", True), ("yes", False)])
def test_production_refuses_the_exemption_and_exempts_nobody(asked, starts):
    environment = {
        "DJANGO_SETTINGS_MODULE": "moc.settings.production",
        "SECRET_KEY": "k" * 60,
        "MOC_MASTER_KEYS": b64encode(bytes(range(32))).decode(),
        "MOC_SEAL_KEY": b64encode(bytes(range(32))).decode(),
        "ALLOWED_HOSTS": "moc.example.com",
        "EMAIL_URL": "smtp://mail.example.com:25",
        "MOC_PUBLIC_URL": "https://moc.example.com",
        "CELERY_BROKER_URL": "redis://broker:6379/0",
        "DATABASE_URL": "postgres://moc_app@/moc",
        "DATABASE_OWNER_URL": "postgres://moc_owner@/moc",
    } | ({"MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION": asked} if asked else {})
    asking = "from moc.settings import production as p; print(p.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION)"
    run = subprocess.run([sys.executable, "-c", asking], env=environment, cwd=project.BASE_DIR, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) is starts
    assert run.stdout.strip() == "False" if starts else "MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION" in run.stderr
