"""OpenID Connect as allauth does it, with what it leaves out: signatures and nonce always checked, the issuer pinned, claims not kept."""

import secrets
from time import time

import jwt
import requests
from allauth.account.internal.decorators import login_not_required
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.models import SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from moc import outbound, sealed, sight
from moc.accounts import providers
from moc.accounts.models import SignInProvider
from moc.errors import UserError

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]  # no secret is a key
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
LEEWAY_SECONDS = 60
REQUIRED = ["exp", "iat", "iss", "aud", "sub"]


class Client(OAuth2Client):
    """allauth's, with whatever a provider answers being an error of the sign-in, and no other."""

    def get_access_token(self, *args, **kwargs) -> dict:
        try:
            return super().get_access_token(*args, **kwargs)
        except (KeyError, ValueError, TypeError) as error:
            raise OAuth2Error("The token endpoint's answer cannot be read.") from error


class Connection(OpenIDConnectOAuth2Adapter):
    """The calls to one organisation's provider."""

    client_class = Client

    @property
    def openid_config(self) -> dict:
        if not hasattr(self, "_checked"):
            provider = self.get_provider()
            with get_adapter().get_requests_session() as session:
                answer = session.get(provider.server_url)
            answer.raise_for_status()
            config, issuer = answer.json(), provider.app.settings["issuer"]
            if not isinstance(config, dict) or config.get("issuer") != issuer:
                raise OAuth2Error("The provider names another issuer.")
            if not all(isinstance(config.get(name), str) and outbound.may_call(config[name]) for name in ENDPOINTS):
                raise OAuth2Error("The provider's addresses cannot be called.")
            self._checked = config
        return self._checked

    def complete_login(self, request: HttpRequest, app: SocialApp, token, **kwargs) -> SocialLogin:
        claims = self._claims(app, str(kwargs["response"].get("id_token") or ""))
        login = self.get_provider().sociallogin_from_response(request, {"id_token": claims})
        login.claims = claims
        return login

    def _claims(self, app: SocialApp, id_token: str) -> dict:
        """What the signed token says, of this issuer, for this client, now."""
        try:
            with get_adapter().get_requests_session() as session:
                keys = jwt.PyJWKSet.from_dict(session.get(self.openid_config["jwks_uri"]).json())
            kid = jwt.get_unverified_header(id_token).get("kid")
            key = keys[kid] if kid else keys.keys[0]
            claims = jwt.decode(
                id_token,
                key,
                algorithms=ALGORITHMS,
                audience=app.client_id,
                issuer=app.settings["issuer"],
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED},
            )
        except (jwt.PyJWTError, KeyError, TypeError, AttributeError, IndexError) as error:
            raise OAuth2Error("The token is not valid.") from error
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1 and claims.get("azp") != app.client_id:
            raise OAuth2Error("The token is for somebody else.")
        return claims


class OrganizationProvider(OpenIDConnectProvider):
    """One organisation's provider. Nothing of the request but the way back reaches the provider's address."""

    oauth2_adapter_class = Connection

    def get_redirect_from_request_kwargs(self, request: HttpRequest) -> dict:
        return {"process": AuthProcess.LOGIN, "next_url": get_next_redirect_url(request)}

    def redirect(self, request: HttpRequest, process, next_url=None, data=None, **kwargs) -> HttpResponse:
        """To the provider, with a nonce; whoever is signed in already shows again who they are."""
        nonce, again = secrets.token_urlsafe(24), request.user.is_authenticated
        params = {"nonce": nonce} | ({"prompt": "login", "max_age": "0"} if again else {})
        try:
            return super().redirect(request, process, next_url, data, auth_params=params, nonce=nonce, again=again)
        except (requests.RequestException, OAuth2Error) as error:
            return render_authentication_error(request, self, exception=error)

    def extract_extra_data(self, data: dict) -> dict:
        """Claims are used and not kept."""
        return {}


class ProviderAdapter(DefaultSocialAccountAdapter):
    """allauth's applications from our own records; who signs in is decided by moc.accounts.providers."""

    @sight.engine()  # whoever signs in is nobody yet
    def list_apps(self, request: HttpRequest, provider=None, client_id=None) -> list[SocialApp]:
        rows = SignInProvider.objects.filter(is_active=True, organization__is_active=True).select_related("organization")
        try:
            found = rows.filter(key=provider) if provider else rows.none()
            return [_app(row) for row in found if client_id in {None, row.client_id}]
        except ValidationError:
            return []

    def get_provider(self, request: HttpRequest, provider, client_id=None) -> OrganizationProvider:
        return OrganizationProvider(request, app=self.get_app(request, provider, client_id))

    def get_requests_session(self) -> requests.Session:
        return outbound.session()

    @sight.engine()  # whoever signs in is nobody yet
    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Before anybody is signed in: the nonce, the person, the roles."""
        claims, state = sociallogin.claims, sociallogin.state
        if not state.get("nonce") or claims.get("nonce") != state["nonce"]:
            raise ImmediateHttpResponse(refusal(request, "The answer does not belong to this sign-in."))
        lately = time() - settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
        if state.get("again") and not (isinstance(claims.get("auth_time"), int | float) and claims["auth_time"] > lately):
            raise ImmediateHttpResponse(refusal(request, "Your organisation's sign-in did not ask again who you are."))
        key = sociallogin.account.provider
        try:
            user = providers.provision(SignInProvider.objects.select_related("organization").get(key=key), claims)
        except UserError as error:
            raise ImmediateHttpResponse(refusal(request, str(error))) from error
        if not sociallogin.is_existing:
            sociallogin.user = user
            sociallogin.account.user = user
            sociallogin.account.save()

    def on_authentication_error(self, request, provider, error=None, exception=None, extra_context=None) -> None:
        raise ImmediateHttpResponse(refusal(request, "Signing in with your organisation did not work."))


def _app(row: SignInProvider) -> SocialApp:
    """allauth's shape of our record; it is never saved."""
    return SocialApp(
        provider="openid_connect",
        provider_id=str(row.key),
        name=row.organization.name,
        client_id=row.client_id,
        secret=sealed.unseal(row.secret, providers.SECRET)[0],
        settings={"server_url": row.issuer.rstrip("/"), "issuer": row.issuer, "fetch_userinfo": False, "oauth_pkce_enabled": True},
    )


def refusal(request: HttpRequest, sentence: str) -> HttpResponse:
    """A page that says why nobody was signed in."""
    return render(request, "socialaccount/authentication_error.html", {"title": "You are not signed in", "sentence": sentence}, status=403)


def is_multi_factor(claims: dict) -> bool:
    """Did the provider ask for more than one factor (RFC 8176)?"""
    methods = claims.get("amr")
    return isinstance(methods, list) and "mfa" in methods


@login_not_required
def login(request: HttpRequest, provider_id: str) -> HttpResponse:
    """To the organisation's provider."""
    return _view(OAuth2LoginView, request, provider_id)


@login_not_required
def callback(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Back from it."""
    return _view(OAuth2CallbackView, request, provider_id)


def _view(view: type, request: HttpRequest, key: str) -> HttpResponse:
    try:
        return view.adapter_view(Connection(request, key))(request)
    except SocialApp.DoesNotExist as error:
        raise Http404 from error
