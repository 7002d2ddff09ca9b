"""Sign-in with an organisation's own OpenID Connect provider, against a real one: who gets in, as what, and what is refused. N2, N3."""

import time

import jwt
import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.db import IntegrityError, transaction
from django.urls import reverse

from moc.access import policy
from moc.access.models import Membership, User
from moc.accounts import providers, services
from moc.accounts.models import SignInDomain, SignInProvider
from moc.errors import UserError
from moc.history import acting
from tests.factories import openid
from tests.factories.world import REASON

EMAIL = "new@utility.example.com"
ROLES = {"der-viewers": "viewer", "der-reviewers": "reviewer"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return openid.make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def there(certificate, settings):
    """The utility's provider, running."""
    settings.MOC_OUTBOUND_CA, settings.MOC_OUTBOUND_PRIVATE_HOSTS = str(certificate[0]), ["localhost"]
    with openid.running(*certificate) as provider:
        provider.claims = {"sub": "s-1", "email": EMAIL, "email_verified": True, "name": "New Person", "roles": ["der-viewers", "other"]}
        yield provider


def configure(world, there, **changes) -> SignInProvider:
    given = {"issuer": there.issuer, "client_id": openid.CLIENT, "secret": openid.SECRET, "role_claim": "roles"}
    given |= {"role_map": ROLES, "is_active": True, "actor": world.user("edc", "administrator"), "organization": world.edc}
    return providers.configure(**given | changes)


@pytest.fixture
def provider(world, there) -> SignInProvider:
    """The same as the platform knows it, with a proven domain."""
    made = configure(world, there)
    domain = providers.add_domain(actor=world.user("edc", "administrator"), provider=made, domain="Utility.example.com")
    providers.move(
        actor=world.user("operator", "administrator"), rows=SignInDomain.objects.filter(pk=domain.pk), name="verify", reason="seen"
    )
    return made


def start(client, provider: SignInProvider) -> str:
    return client.get(reverse("openid_connect_login", kwargs={"provider_id": provider.key}))["Location"]


def sign_in(client, provider: SignInProvider, there):
    return client.get(there.authorize(start(client, provider)))


def signed_in(client) -> bool:
    return "_auth_user_id" in client.session


def state() -> list:
    models = (User, Membership, SocialAccount)
    return [list(model.objects.order_by("pk").values_list("pk", flat=True)) for model in models] + [
        list(Membership.objects.order_by("pk").values("role", "is_active"))
    ]


def test_a_new_person_signs_in_with_the_roles_that_the_claims_give(world, client, provider, there):
    page = client.post(reverse("organization_sign_in"), {"email": EMAIL.upper()}).content.decode()
    assert str(provider.key) in page
    assert sign_in(client, provider, there).url == "/" and signed_in(client)
    user = User.objects.get(email=EMAIL)
    assert services.roles_in(world.edc, user) == {"viewer"} and user.name == "New Person" and not user.has_usable_password()
    assert "Edc of the tests" in user.memberships.get().history.first().history_change_reason
    assert SocialAccount.objects.get().extra_data == {}, "claims are not kept"


def test_the_roles_follow_the_claims_at_each_sign_in(world, client, provider, there, settings):
    sign_in(client, provider, there)
    client.post(reverse("account_logout"))
    there.claims |= {"roles": ["der-reviewers"]}
    sign_in(client, provider, there)
    user = User.objects.get(email=EMAIL)
    assert services.roles_in(world.edc, user) == {"reviewer"} and SocialAccount.objects.count() == 1
    client.post(reverse("account_logout"))
    there.claims |= {"roles": "nothing of ours"}
    assert sign_in(client, provider, there).status_code == 403 and not signed_in(client)
    assert not services.roles_in(world.edc, user) and not policy.reach(User.objects.get(pk=user.pk), "view_registry")


def test_a_member_keeps_the_account_and_an_administrator_the_role(world, client, provider, there):
    member = world.user("edc", "administrator")
    with acting(None, REASON):
        User.objects.filter(pk=member.pk).update(email="boss@utility.example.com")
    there.claims |= {"email": "Boss@utility.example.com", "roles": "der-reviewers"}
    sign_in(client, provider, there)
    assert signed_in(client) and SocialAccount.objects.get().user == member
    assert services.roles_in(world.edc, member) == {"administrator", "reviewer"}


def tamper(there, how: str) -> None:
    """Make the provider lie."""
    past = int(time.time()) - 3600
    claims = {
        "issuer": {"iss": "https://other.example.com"},
        "audience": {"aud": "another client"},
        "more audiences": {"aud": [openid.CLIENT, "another client"]},
        "nonce": {"nonce": "of another sign-in"},
        "no nonce": {"nonce": None},
        "old": {"exp": past},
        "no expiry": {"exp": None},
        "no subject": {"sub": None},
        "foreign domain": {"email": "boss@aggregator.example.com"},
        "no address": {"email": None},
        "unverified address": {"email_verified": False},
        "lookalike domain": {"email": "boss@utility.example.com.evil.example.com"},
        "no role": {"roles": ["other"]},
    }
    signs = {
        "other key": lambda said: jwt.encode(said, there.other_key, algorithm="RS256", headers={"kid": "one"}),
        "unknown key": lambda said: jwt.encode(said, there.other_key, algorithm="RS256", headers={"kid": "two"}),
        "no signature": lambda said: jwt.encode(said, None, algorithm="none", headers={"kid": "one"}),
        "secret as key": lambda said: jwt.encode(said, openid.SECRET, algorithm="HS256", headers={"kid": "one"}),
        "rubbish": lambda said: "rubbish",
        "nothing": lambda said: "",
    }
    there.claims |= claims.get(how, {})
    there.sign = signs.get(how, there.sign)


LIES = (
    "issuer|audience|more audiences|nonce|no nonce|old|no expiry|no subject|foreign domain|no address|unverified address|lookalike domain"
)
FORGERIES = "no role|other key|unknown key|no signature|secret as key|rubbish|nothing"


@pytest.mark.parametrize("how", f"{LIES}|{FORGERIES}".split("|"))
def test_refused_and_nothing_is_kept(world, client, provider, there, how):
    before = state()
    tamper(there, how)
    assert sign_in(client, provider, there).status_code == 403
    assert not signed_in(client) and state() == before


def test_an_answer_works_once_and_only_in_the_browser_that_asked(world, client, client_of, provider, there):
    back = there.authorize(start(client, provider))
    stranger = client_of(None)
    assert stranger.get(back).status_code == 403 and not signed_in(stranger)
    assert client.get(back).url == "/"
    client.post(reverse("account_logout"))
    assert client.get(back).status_code == 403 and not signed_in(client), "a replay"


def test_an_answer_that_the_person_cancelled_or_that_fails(world, client, provider, there):
    url = reverse("openid_connect_callback", kwargs={"provider_id": provider.key})
    for query in ("", "?code=x", "?error=access_denied&state=x", "?state=x&code=x"):
        assert client.get(url + query).status_code == 403 and not signed_in(client)
    back = there.authorize(start(client, provider))
    there.codes.clear()
    assert client.get(back).status_code == 403


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://other.example.com"},
        {"token_endpoint": "http://localhost/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
    ids=str,
)
def test_a_provider_that_describes_itself_wrongly_is_not_used(world, client, provider, there, changes):
    there.discovery = changes
    assert client.get(reverse("openid_connect_login", kwargs={"provider_id": provider.key})).status_code == 403


@pytest.mark.parametrize(
    "page", [(302, "", "text/plain"), (500, "", "text/plain"), (200, "no json", "text/plain"), (200, "[]", "application/json")]
)
def test_a_provider_that_answers_strangely_is_an_error_of_its_own(world, client, provider, there, page):
    there.pages["/.well-known/openid-configuration"] = page
    assert client.get(reverse("openid_connect_login", kwargs={"provider_id": provider.key})).status_code == 403


def test_nobody_of_another_organisation_is_taken_over(world, client, provider, there):
    """Neither a member of another organisation, nor one of both, nor somebody without a seat, even in the proven domain."""
    both = world.user("edc", "viewer")
    with acting(None, REASON):
        User.objects.filter(pk=world.user("aggregator", "viewer").pk).update(email="a@utility.example.com")
        User.objects.filter(pk=both.pk).update(email="b@utility.example.com")
        User.objects.filter(pk=world.nobody.pk).update(email="c@utility.example.com")
        User.objects.filter(pk=world.machine.pk).update(email="d@utility.example.com")
        Membership.objects.create(user=both, organization=world.aggregator, role="viewer")
    before = state()
    for name in "abcd":
        there.claims |= {"email": f"{name}@utility.example.com", "sub": name}
        assert sign_in(client, provider, there).status_code == 403 and not signed_in(client)
    assert state() == before


def test_a_subject_is_not_lent_to_another_address(world, client, provider, there):
    sign_in(client, provider, there)
    client.post(reverse("account_logout"))
    there.claims |= {"email": "other@utility.example.com"}
    assert sign_in(client, provider, there).status_code == 403 and not signed_in(client)


def test_a_domain_is_proven_by_one_organisation_only(world, provider, there):
    theirs = configure(
        world, there, actor=world.user("aggregator", "administrator"), organization=world.aggregator, role_map={"a": "viewer"}
    )
    domain = providers.add_domain(actor=world.user("aggregator", "administrator"), provider=theirs, domain="utility.example.com")
    with pytest.raises(UserError) as refusal:
        providers.move(actor=world.user("operator", "administrator"), rows=SignInDomain.objects.filter(pk=domain.pk), name="verify")
    assert refusal.value.code == "DOMAIN_TAKEN" and providers.provider_of(EMAIL) == provider
    with pytest.raises(policy.NotPermitted):
        providers.move(actor=world.user("aggregator", "administrator"), rows=SignInDomain.objects.filter(pk=domain.pk), name="verify")


def test_a_domain_is_proven_by_what_stands_at_it(world, there, provider, monkeypatch):
    actor = world.user("edc", "administrator")
    monkeypatch.setattr(providers, "PROOF", f"{there.issuer}/{{domain}}.txt")
    domain = providers.add_domain(actor=actor, provider=provider, domain="second.example.com")
    for page in ((404, domain.token, "text/plain"), (200, f"x{domain.token}", "text/plain")):
        there.pages["/second.example.com.txt"] = page
        with pytest.raises(UserError) as refusal:
            providers.prove(actor=actor, domain=domain)
        assert refusal.value.code == "DOMAIN_NOT_PROVEN" and providers.provider_of("a@second.example.com") is None
    there.pages["/second.example.com.txt"] = (200, f"{domain.token}\n", "text/plain")
    providers.prove(actor=actor, domain=domain)
    assert providers.provider_of("a@second.example.com") == provider


@pytest.mark.parametrize(
    "issuer",
    [
        "http://login.example.com",
        "https://127.0.0.1",
        "https://10.0.0.1",
        "https://169.254.169.254/latest",
        "https://[::1]",
        "https://[::ffff:10.0.0.1]",
        "https://0x7f.1",
        "https://user@8.8.8.8",
        "https://8.8.8.8?x=1",
        "https://8.8.8.8:0",
        "ftp://8.8.8.8",
        "https://",
    ],
)
def test_only_public_https_issuers(world, there, issuer):
    with pytest.raises(UserError) as refusal:
        configure(world, there, issuer=issuer)
    assert refusal.value.code == "ISSUER" and not SignInProvider.objects.exists()


def test_a_name_that_moves_to_a_private_address_later_is_not_called(client, provider, there, settings):
    settings.MOC_OUTBOUND_PRIVATE_HOSTS = []
    calls = len(there.calls)
    assert client.get(reverse("openid_connect_login", kwargs={"provider_id": provider.key})).status_code == 403
    assert len(there.calls) == calls


def test_nobody_becomes_administrator_by_a_claim(world, there):
    for role_map in ({"a": "administrator"}, {"a": "filer"}):
        with pytest.raises(UserError) as refusal:
            configure(world, there, role_map=role_map)
        assert refusal.value.code == "ROLE_UNKNOWN"


@pytest.mark.parametrize("who", [("edc", "approver"), ("edc2", "administrator"), ("rerra", "administrator")])
def test_only_the_organisations_administrator_configures(world, there, provider, who):
    for deed in (
        lambda actor: configure(world, there, actor=actor),
        lambda actor: providers.add_domain(actor=actor, provider=provider, domain="x.example.com"),
        lambda actor: providers.remove_domain(actor=actor, domain=provider.domains.get()),
    ):
        with pytest.raises(policy.NotPermitted):
            deed(world.user(*who))


def test_the_secret_is_sealed_and_a_new_issuer_starts_afresh(world, client, provider, there):
    assert openid.SECRET not in str(SignInProvider.objects.values()) + str(SignInProvider.history.model.objects.values())
    sign_in(client, provider, there)
    changed = configure(world, there, secret="")
    assert changed.key == provider.key and changed.secret == provider.secret and SocialAccount.objects.exists()
    changed = configure(world, there, issuer=f"{there.issuer}/realm", secret="")
    assert changed.key != provider.key and not SocialAccount.objects.exists()
    assert client.get(reverse("openid_connect_login", kwargs={"provider_id": provider.key})).status_code == 404


def test_a_provider_that_is_switched_off_signs_nobody_in(world, client, provider, there):
    configure(world, there, is_active=False)
    assert client.get(reverse("openid_connect_login", kwargs={"provider_id": provider.key})).status_code == 404
    assert client.post(reverse("organization_sign_in"), {"email": EMAIL}).status_code == 422
    for key in ("rubbish", "openid_connect", "00000000-0000-0000-0000-000000000000"):
        assert client.get(reverse("openid_connect_login", kwargs={"provider_id": key})).status_code == 404


def test_the_database_takes_https_only(provider):
    with pytest.raises(IntegrityError), transaction.atomic(), acting(None, REASON):
        SignInProvider.objects.update(issuer="http://localhost")


@pytest.mark.parametrize(("methods", "open_"), [(["pwd", "mfa"], True), (["pwd"], False), ("mfa", False), (None, False)])
def test_a_role_that_needs_a_second_factor_takes_the_providers_word_for_it(client, provider, there, settings, methods, open_):
    settings.MOC_SECOND_FACTOR_EXEMPT_DEMONSTRATION = False
    there.claims |= {"roles": "der-reviewers", "amr": methods}
    sign_in(client, provider, there)
    assert (client.get("/").status_code == 200) is open_ and (open_ or client.get("/").url == reverse("mfa_index"))


def test_whoever_has_a_second_factor_here_is_asked_for_it(client, provider, there):
    sign_in(client, provider, there)
    Authenticator.objects.create(user=User.objects.get(email=EMAIL), type=Authenticator.Type.TOTP, data={})
    client.post(reverse("account_logout"))
    assert sign_in(client, provider, there).url == reverse("mfa_authenticate") and not signed_in(client)


def test_nothing_of_the_request_reaches_the_provider_but_what_we_say(client, provider, there):
    url = reverse("openid_connect_login", kwargs={"provider_id": provider.key})
    asked = client.get(
        f"{url}?scope=admin&auth_params=redirect_uri%3Dhttps://evil.example.com&process=connect&next=https://evil.example.com"
    )
    assert "evil" not in asked["Location"] and "admin" not in asked["Location"]
    assert client.get(there.authorize(asked["Location"])).url == "/"


@pytest.mark.parametrize(("auth_time", "done"), [(0, True), (-3600, False), (None, False)])
def test_confirming_at_the_provider(client, provider, there, auth_time, done):
    """Who has neither password nor second factor here shows at the provider who they are, and the provider must really have asked."""
    sign_in(client, provider, there)
    session = client.session
    session["account_authentication_methods"] = [{"method": "socialaccount", "at": time.time() - 3600}]
    session.save()
    url = reverse("token_issue")
    detour = client.get(url)
    asked = client.get(detour.url)["Location"]
    assert "prompt=login" in asked and "max_age=0" in asked
    there.claims |= {"auth_time": None if auth_time is None else int(time.time()) + auth_time}
    answer = client.get(there.authorize(asked))
    assert (answer.status_code == 302 and answer.url == url) is done
    assert (client.get(url).status_code == 200) is done


def test_the_pages_configure_it_all(world, there, client_of):
    client = client_of(world.user("edc", "administrator"))
    page, change = reverse("provider", args=["edc"]), reverse("provider_change", args=["edc"])
    assert "No provider yet" in client.get(page).content.decode()
    assert client.get(reverse("domain_add", args=["edc"])).status_code == 404
    body = {"issuer": there.issuer, "client_id": "c", "secret": "s e c", "role_claim": "groups", "roles": "a = viewer\nb=reviewer"}
    for lines in ("administrator", "a = administrator", "= viewer", "a = filer"):
        assert client.post(change, body | {"roles": lines}).status_code == 422
    assert client.post(change, body | {"is_active": "on"}).status_code == 302
    made = SignInProvider.objects.get()
    assert made.role_map == {"a": "viewer", "b": "reviewer"} and made.organization == world.edc
    client.post(reverse("domain_add", args=["edc"]), {"domain": "utility.example.com"})
    shown = client.get(page).content.decode()
    assert made.domains.get().token in shown and "s e c" not in shown and str(made.key) in shown
    assert "s e c" not in client.get(change).content.decode()
    client.post(reverse("domain_remove", args=["edc", made.domains.get().uuid]))
    assert not made.domains.exists()
