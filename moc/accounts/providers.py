"""An organisation's own sign-in: configured and proven by its administrator; people and their roles follow its claims. N2."""

import re
import uuid
from urllib.parse import urlsplit

import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from moc import outbound, sealed, sight
from moc.access import policy
from moc.access.models import Membership, Organization, User
from moc.access.roles import ROLES
from moc.accounts import services
from moc.accounts.models import SignInDomain, SignInProvider
from moc.errors import UserError
from moc.history import acting

PERMISSION, SECRET = "manage_members", "sign-in provider"
DOMAIN = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
PROOF = "https://{domain}/.well-known/der-registry-sign-in.txt"


def configure(
    *, actor: User, organization: Organization, issuer: str, client_id: str, secret: str, role_claim: str, role_map: dict, is_active: bool
) -> SignInProvider:
    """Set up or change the organisation's provider; an empty `secret` keeps the one that we have.

    A new issuer starts afresh: who signed in at the old one is no longer known by it.
    Raises UserError (ISSUER, SECRET_MISSING, ROLE_UNKNOWN).
    """
    policy.require(actor, PERMISSION, organization)
    issuer = _checked_issuer(issuer)
    _check_roles(organization, role_map)
    with acting(actor, f"sign-in of {organization} configured"):
        provider = SignInProvider.objects.select_for_update().filter(organization=organization).first()
        provider = provider or SignInProvider(organization=organization)
        if not secret and not provider.secret:
            raise UserError("The client secret is missing.", "Your provider shows it where you register this platform.", "SECRET_MISSING")
        if provider.pk and provider.issuer != issuer:
            SocialAccount.objects.filter(provider=str(provider.key)).delete()
            provider.key = uuid.uuid4()
        provider.issuer, provider.client_id, provider.is_active = issuer, client_id, is_active
        provider.role_claim, provider.role_map = role_claim, role_map
        provider.secret = sealed.seal([secret], SECRET) if secret else provider.secret
        provider.save()
    return provider


def _checked_issuer(issuer: str) -> str:
    """An https address that leads to no private network."""
    try:
        if not outbound.may_call(issuer) or "?" in issuer or "#" in issuer:
            raise outbound.Refused("Only https addresses are called.")
        parts = urlsplit(issuer)
        outbound.public_address(parts.hostname, parts.port or 443)
    except outbound.Refused as error:
        raise UserError(f"This issuer cannot be used: {error}", "Give its public https address.", "ISSUER") from error
    return issuer


def _check_roles(organization: Organization, role_map: dict) -> None:
    """Administrators are made by two people of the organisation, never by a claim."""
    allowed = set(ROLES[organization.kind]) - {Membership.Role.ADMINISTRATOR}
    if not set(role_map.values()) <= allowed:
        raise UserError("A claim gives only roles of this kind of organisation, and never administrator.", code="ROLE_UNKNOWN")


def add_domain(*, actor: User, provider: SignInProvider, domain: str) -> SignInDomain:
    """Name a domain, which then has to be proven. Raises UserError (DOMAIN)."""
    policy.require(actor, PERMISSION, provider.organization)
    domain = domain.strip().lower()
    if not DOMAIN.fullmatch(domain):
        raise UserError(f"{domain} is no domain.", "Write it like example.com.", "DOMAIN")
    with acting(actor, f"sign-in domain {domain} added"):
        return SignInDomain.objects.get_or_create(provider=provider, domain=domain)[0]


def remove_domain(*, actor: User, domain: SignInDomain) -> None:
    """Nobody of the domain signs in with the provider any more."""
    policy.require(actor, PERMISSION, domain.provider.organization)
    with acting(actor, f"sign-in domain {domain} removed"):
        domain.delete()


def prove(*, actor: User, domain: SignInDomain) -> None:
    """Look for the token at the domain itself. Raises UserError (DOMAIN_NOT_PROVEN, DOMAIN_TAKEN)."""
    policy.require(actor, PERMISSION, domain.provider.organization)
    if not _shows_token(domain):
        raise UserError("The token was not found at the domain.", "Publish it at the address shown, and try again.", "DOMAIN_NOT_PROVEN")
    move(actor=actor, rows=SignInDomain.objects.filter(pk=domain.pk), name="prove", reason="token found at the domain")


def _shows_token(domain: SignInDomain) -> bool:
    """Is the token published at the domain's own address?"""
    try:
        with outbound.session() as session:
            answer = session.get(PROOF.format(domain=domain.domain))
        return answer.ok and domain.token in answer.text.split()
    except requests.RequestException:
        return False


def move(*, actor: User, rows, name: str, reason: str = "") -> None:
    """Move domains by their lifecycle. Raises UserError (DOMAIN_TAKEN): one domain proves one organisation."""
    if permission := SignInDomain.lifecycle.transitions[name].permission:
        policy.require(actor, permission)
    try:
        with transaction.atomic():
            SignInDomain.lifecycle.move(rows, name, actor=actor, reason=reason)
    except IntegrityError as error:
        raise UserError("Another organisation has proven this domain.", "Ask the platform's operator.", "DOMAIN_TAKEN") from error


@sight.engine()  # whoever signs in is nobody yet
def provider_of(email: str) -> SignInProvider | None:
    """The provider at which people with this address sign in."""
    domain = email.rpartition("@")[2].lower()
    rows = SignInProvider.objects.filter(is_active=True, organization__is_active=True)
    return rows.filter(domains__domain=domain, domains__status=SignInDomain.Status.VERIFIED).select_related("organization").first()


@sight.engine()  # whoever signs in is nobody yet
def provision(provider: SignInProvider, claims: dict) -> User:
    """The person behind verified claims, made if new, with the roles that the claims give now; administrators stay administrators.

    Raises UserError (NO_ADDRESS, FOREIGN_DOMAIN, FOREIGN_ACCOUNT, ACCOUNT_CLOSED, NO_ROLE).
    """
    organization, email = provider.organization, _address(claims)
    if provider_of(email) != provider:
        raise UserError("Your address is in no domain that this organisation has proven.", "Ask its administrator.", "FOREIGN_DOMAIN")
    roles = _mapped(provider, claims)
    with acting(None, f"system: signed in with {organization}'s provider"):
        user = _known(provider, str(claims["sub"]), email)
        if user is None and roles:
            user = User.objects.create_user(email, name=str(claims.get("name") or "")[:120])
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        if user is not None:
            kept = services.roles_in(organization, user) & {Membership.Role.ADMINISTRATOR.value}
            services.give_roles(organization, user, roles | kept)
            roles = roles | kept
    if not roles:
        raise UserError("Your organisation's sign-in gives you no role here.", "Ask its administrator.", "NO_ROLE")
    return user


def _address(claims: dict) -> str:
    email = str(claims.get("email") or "").lower()
    try:
        validate_email(email)
    except ValidationError:
        email = ""
    if not email or claims.get("email_verified") is False:
        raise UserError("Your organisation's sign-in did not tell a verified e-mail address.", "Ask its administrator.", "NO_ADDRESS")
    return email


def _mapped(provider: SignInProvider, claims: dict) -> set[str]:
    """The roles that the claim's values give."""
    given = claims.get(provider.role_claim, [])
    values = given if isinstance(given, list) else [given]
    return {provider.role_map[str(value)] for value in values if str(value) in provider.role_map}


def _known(provider: SignInProvider, subject: str, email: str) -> User | None:
    """Who signed in before with this subject, or has the address; refused unless they belong to this organisation and no other."""
    account = SocialAccount.objects.filter(provider=str(provider.key), uid=subject).select_related("user").first()
    user = account.user if account else User.objects.filter(email__iexact=email).first()
    if user is None:
        return None
    seats = Membership.objects.filter(user=user)
    member, elsewhere = seats.filter(organization=provider.organization), seats.exclude(organization=provider.organization)
    if user.email.lower() != email or not member.exists() or elsewhere.filter(is_active=True).exists():
        raise UserError("This account is not your organisation's.", "Sign in with your password.", "FOREIGN_ACCOUNT")
    if not user.is_active or user.kind != User.Kind.PERSON:
        raise UserError("This account is closed.", "Ask the platform's operator.", "ACCOUNT_CLOSED")
    return user
