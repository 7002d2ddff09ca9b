"""Members come by invitation: a signed link, good once and for a few days, lets the invited person set a password."""

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from moc.access import policy
from moc.access.models import ApiToken, Membership, Organization, User
from moc.access.roles import ROLES
from moc.errors import UserError
from moc.history import acting

PERMISSION = "manage_members"
SALT = "moc.accounts.invitation"
MAX_TOKENS = 10
ADMINISTRATOR = Membership.Role.ADMINISTRATOR


def members_of(organization: Organization) -> QuerySet[User]:
    """The people and machines with a role in the organisation."""
    return User.objects.filter(memberships__organization=organization, memberships__is_active=True).distinct().order_by("email")


def roles_in(organization: Organization, user: User) -> set[str]:
    """The roles that a user has in an organisation now."""
    return set(Membership.objects.filter(organization=organization, user=user, is_active=True).values_list("role", flat=True))


def invite(*, actor: User, organization: Organization, email: str, name: str, roles: Iterable[str]) -> User:
    """Give somebody roles in the organisation, with an account if they have none, and write them an e-mail.

    Raises UserError (ROLE_UNKNOWN, OWN_ROLES, MEMBER_ALREADY, MACHINE_CLIENT, ACCOUNT_CLOSED, MAIL_FAILED); then nothing was changed.
    """
    policy.require(actor, PERMISSION, organization)
    roles = _checked(organization, roles)
    with acting(actor, f"invited to {organization}"):
        user = User.objects.filter(email__iexact=email).first() or User.objects.create_user(email, name=name)
        _refuse_own(actor, user)
        _refuse_machine(user)
        if not user.is_active:
            raise UserError("This person's account is closed.", "Ask the platform's operator to open it again.", "ACCOUNT_CLOSED")
        if roles_in(organization, user):
            raise UserError(f"{user} is a member already.", "Change the roles in the list of members.", "MEMBER_ALREADY")
        _set(organization, user, roles)
        _write(user, organization)
    return user


def invite_again(*, actor: User, organization: Organization, user: User) -> None:
    """Send a fresh link to a member who has no password yet; the older link is void from now on."""
    policy.require(actor, PERMISSION, organization)
    if user.has_usable_password() or user.kind != User.Kind.PERSON:
        raise UserError(f"{user} needs no invitation.", "People sign in with their own password, and can reset it.", "MEMBER_ALREADY")
    with acting(actor, f"invited to {organization} again"):
        user.set_unusable_password()
        user.save(update_fields=["password"])
        _write(user, organization)


def set_roles(*, actor: User, organization: Organization, user: User, roles: Iterable[str], reason: str = "") -> None:
    """Give a member exactly these roles. Nobody changes their own, and the last administrator stays one.

    Raises UserError (ROLE_UNKNOWN, OWN_ROLES, MACHINE_CLIENT, LAST_ADMINISTRATOR).
    """
    policy.require(actor, PERMISSION, organization)
    roles = _checked(organization, roles)
    _refuse_own(actor, user)
    _refuse_machine(user)
    with acting(actor, reason or f"roles in {organization} changed"):
        _set(organization, user, roles)
        _keep_an_administrator(organization)


def deactivate_member(*, actor: User, organization: Organization, user: User, reason: str = "") -> None:
    """End somebody's membership: all roles in the organisation. The account stays, because history names it.

    Raises UserError (OWN_ROLES, LAST_ADMINISTRATOR).
    """
    policy.require(actor, PERMISSION, organization)
    _refuse_own(actor, user)
    with acting(actor, reason or f"membership of {organization} ended"):
        _set(organization, user, set())
        _keep_an_administrator(organization)
        if not Membership.objects.filter(user=user, is_active=True).exists():
            ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=timezone.now())


def _checked(organization: Organization, roles: Iterable[str]) -> set[str]:
    roles = set(roles)
    if not roles or not roles <= set(ROLES[organization.kind]):
        raise UserError("Choose at least one of the roles of this kind of organisation.", code="ROLE_UNKNOWN")
    return roles


def _refuse_own(actor: User | None, user: User) -> None:
    if actor is not None and actor.pk == user.pk:
        raise UserError("Nobody changes their own roles.", "Ask another administrator.", "OWN_ROLES")


def _refuse_machine(user: User) -> None:
    if user.kind == User.Kind.MACHINE:
        raise UserError("A machine client has one role, for good.", "Make another client with the other role.", "MACHINE_CLIENT")


def _set(organization: Organization, user: User, roles: set[str]) -> None:
    """End the roles that are not wanted, revive or add those that are; what stays leaves no version."""
    seats = Membership.objects.filter(organization=organization, user=user)
    seats.exclude(role__in=roles).update(is_active=False)
    seats.filter(role__in=roles).update(is_active=True)
    missing = roles - set(seats.values_list("role", flat=True))
    Membership.objects.bulk_create(Membership(organization=organization, user=user, role=role) for role in sorted(missing))


def _keep_an_administrator(organization: Organization) -> None:
    """The organisation's row is locked, so that two administrators cannot end each other at once."""
    Organization.objects.select_for_update(of=("self",)).get(pk=organization.pk)
    people = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
    if not Membership.objects.filter(organization=organization, role=ADMINISTRATOR, is_active=True, user__in=people).exists():
        raise UserError(
            "An organisation keeps at least one administrator.", "Make somebody else administrator first.", "LAST_ADMINISTRATOR"
        )


def _write(user: User, organization: Organization) -> None:
    """Sent inside the transaction: an invitation that could not be sent was not made."""
    link = "" if user.has_usable_password() else reverse("account_invitation", args=[invitation_key(user)])
    facts = {"user": user, "organization": organization, "url": settings.MOC_PUBLIC_URL + (link or reverse("account_login"))}
    body = render_to_string("account/email/invitation.txt", {**facts, "link": link, "days": settings.MOC_INVITATION_DAYS})
    try:
        send_mail(f"You are invited to {settings.MOC_TITLE}", body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [user.email])
    except OSError as error:
        raise UserError("The e-mail could not be sent, so nobody was invited.", "Try again later.", "MAIL_FAILED") from error


def _fingerprint(user: User) -> str:
    """Changes with the password, so that a link is good once."""
    return salted_hmac(SALT, user.password + user.email).hexdigest()[:32]


def invitation_key(user: User) -> str:
    """The signed part of an invitation's link."""
    return signing.dumps([user.pk, _fingerprint(user)], salt=SALT)


def invited(key: str) -> User | None:
    """The person whom a link invites; None for a link that is forged, used, replaced or too old."""
    try:
        pk, fingerprint = signing.loads(key, salt=SALT, max_age=settings.MOC_INVITATION_DAYS * 86400)
    except signing.BadSignature:
        return None
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.has_usable_password() or not constant_time_compare(fingerprint, _fingerprint(user)):
        return None
    return user


def accept(*, key: str, name: str, password: str) -> User:
    """The invited person sets name and password. Raises UserError (INVITATION_VOID)."""
    user = invited(key)
    if user is None:
        raise UserError("This invitation is no longer valid.", "Ask your administrator to send it again.", "INVITATION_VOID")
    with acting(user, "accepted the invitation"):
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.has_usable_password():
            raise UserError("This invitation was used already.", "Sign in with your password.", "INVITATION_VOID")
        user.name = name
        user.set_password(password)
        user.save(update_fields=["name", "password"])
        claim_address(user)
    return user


def claim_address(user: User) -> None:
    """Tell allauth that the user's address is theirs: it was proven by an invitation, or given by an administrator."""
    EmailAddress.objects.filter(user=user, primary=True).exclude(email=user.email).delete()
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})


def issue_token(*, actor: User, name: str) -> tuple[ApiToken, str]:
    """A new API token of one's own and its secret, which is shown this once. Raises UserError (TOO_MANY_TOKENS)."""
    if ApiToken.objects.filter(user=actor, revoked_at__isnull=True).count() >= MAX_TOKENS:
        raise UserError(f"You have {MAX_TOKENS} tokens already.", "Revoke one that is no longer used.", "TOO_MANY_TOKENS")
    return ApiToken.issue(actor, name)


def revoke_token(*, actor: User, token: ApiToken) -> None:
    """End one of one's own tokens, at once and for good; another's is refused."""
    if token.user_id != actor.pk:
        raise policy.NotPermitted("A token is revoked by its owner.")
    ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now())
