"""What allauth asks of us: addresses behind our proxies, what it writes to a user is in the history, lockout, second factors."""

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse

from moc import sealed
from moc.access import presence
from moc.access.models import User
from moc.accounts import factors, lockout, openid
from moc.accounts.models import SignInProvider
from moc.history import acting
from moc.middleware import client_address


class AccountAdapter(DefaultAccountAdapter):
    """No sign-up of allauth's; addresses behind our proxies; recorded changes of an e-mail address; a count of failures."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """The owner of the mailbox followed the link: the address becomes the one to sign in with."""
        if User.objects.filter(email__iexact=email_address.email).exclude(pk=email_address.user_id).exists():
            self.add_message(request, messages.ERROR, "account/messages/email_confirmation_failed.txt", {"email": email_address.email})
            return False
        with acting(email_address.user, "own e-mail address changed and confirmed by link"):
            return super().confirm_email(request, email_address)

    def authentication_failed(self, request: HttpRequest, **credentials) -> None:
        lockout.count_failure_at(credentials.get("email") or "")

    def post_login(self, request: HttpRequest, user: User, *, signal_kwargs: dict | None, **kwargs):
        """Remember a provider's word that it asked for a second factor."""
        login = (signal_kwargs or {}).get("sociallogin")
        if login is not None and openid.is_multi_factor(login.claims):
            request.session[factors.PROVED] = user.pk
        return super().post_login(request, user, signal_kwargs=signal_kwargs, **kwargs)

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        lockout.clear(user)

    def set_password(self, user: User, password: str) -> None:
        """A new password is also the way back to a locked account."""
        super().set_password(user, password)
        lockout.clear(user)

    def is_reauthentication_required(self, *, app: str) -> bool:
        """Who has just signed in may set up a second factor at once; who changes how they sign in is always asked."""
        return not (app == "allauth.mfa" and presence.is_fresh(context.request))

    def get_reauthentication_methods(self, user: User) -> list[dict]:
        """The second factor where there is one, else the password, else the organisation's provider."""
        methods = super().get_reauthentication_methods(user)
        if not user.is_authenticated:
            return []
        if second := [method for method in methods if method["id"] != "reauthenticate"]:
            return second
        if methods:
            return methods
        keys = user.socialaccount_set.values_list("provider", flat=True)
        known = {str(key) for key in SignInProvider.objects.filter(is_active=True).values_list("key", flat=True)}
        url = next((reverse("openid_connect_login", kwargs={"provider_id": key}) for key in keys if key in known), None)
        return [{"id": presence.PROVIDER, "description": "Sign in again with your organisation", "url": url}] if url else []


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keys of apps are sealed; a role that needs a second factor keeps the last one."""

    def get_totp_issuer(self) -> str:
        return settings.MOC_TITLE

    def _get_site_name(self) -> str:
        return settings.MOC_TITLE

    def encrypt(self, text: str) -> str:
        return sealed.seal([text], "second factor")

    def decrypt(self, encrypted_text: str) -> str:
        return sealed.unseal(encrypted_text, "second factor")[0]

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        others = Authenticator.objects.filter(user=authenticator.user, type__in=presence.FACTORS).exclude(pk=authenticator.pk)
        return others.exists() or not factors.needs_second_factor(authenticator.user)
