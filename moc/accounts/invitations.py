"""Members come by invitation: a link to an e-mail address, good once and for some days, accepted with a new or an existing account. N2."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Organization, User
from moc.accounts import services
from moc.accounts.models import Invitation
from moc.errors import UserError
from moc.history import acting


def invite(*, actor: User | None, organization: Organization, email: str, name: str, roles: Iterable[str]) -> Invitation:
    """Offer roles to whoever reads the address.

    Raises UserError (ROLE_UNKNOWN, OWN_ROLES, MACHINE_CLIENT, MEMBER_ALREADY, INVITED, MAIL_FAILED).
    """
    policy.require(actor, services.PERMISSION, organization)
    roles = services.checked(organization, roles)
    if actor is not None and actor.email.lower() == email.lower():
        raise UserError("Nobody changes their own roles.", "Ask another administrator.", "OWN_ROLES")
    if machine := User.objects.filter(email__iexact=email, kind=User.Kind.MACHINE).first():
        services.refuse_machine(machine)
    if services.members_of(organization).filter(email__iexact=email).exists():
        raise UserError("This person is a member already.", "Change the roles in the list of members.", "MEMBER_ALREADY")
    if Invitation.objects.filter(organization=organization, email__iexact=email, status=Invitation.Status.OPEN).exists():
        raise UserError("This person is invited already.", "Send the invitation again, or revoke it.", "INVITED")
    key, digest = _new_key()
    with acting(actor, f"invited to {organization}"):
        invitation = Invitation.objects.create(
            organization=organization,
            email=email.lower(),
            name=name,
            roles=sorted(roles),
            digest=digest,
            invited_by=actor,
            expires_at=_expiry(),
        )
        _write(invitation, key)
    return invitation


def send_again(*, actor: User, invitation: Invitation) -> None:
    """A fresh link for the same invitation; the older one is void from now on. Raises UserError (INVITATION_VOID, MAIL_FAILED)."""
    policy.require(actor, services.PERMISSION, invitation.organization)
    key, digest = _new_key()
    with acting(actor, f"invited to {invitation.organization} again"):
        rows = Invitation.objects.filter(pk=invitation.pk, status=Invitation.Status.OPEN)
        if not rows.update(digest=digest, expires_at=_expiry()):
            raise UserError("This invitation was accepted or revoked.", "Reload the page.", "INVITATION_VOID")
        _write(invitation, key)


def revoke(*, actor: User, invitation: Invitation) -> None:
    """The link is void from now on. Raises TransitionRefused."""
    policy.require(actor, services.PERMISSION, invitation.organization)
    rows = Invitation.objects.filter(pk=invitation.pk)
    Invitation.lifecycle.move(rows, "revoke", actor=actor, reason=f"invitation to {invitation.organization} revoked")


@sight.engine()  # the link is the right to see what it invites to
def invited(key: str) -> Invitation | None:
    """What a link invites to; None for one that is unknown, used, replaced, revoked or too old."""
    rows = Invitation.objects.filter(status=Invitation.Status.OPEN, expires_at__gt=timezone.now(), organization__is_active=True)
    return rows.select_related("organization", "invited_by").filter(digest=_digest(key)).first()


def account_of(invitation: Invitation) -> User | None:
    """The account that has the invited address already."""
    return User.objects.filter(email__iexact=invitation.email).first()


@transaction.atomic
@sight.engine()  # the link is the right to see what it invites to
def accept(*, key: str, user: User | None = None, name: str = "", password: str = "") -> User:
    """Take the roles, with the account of the invited address or a new one.

    Raises UserError (INVITATION_VOID, OTHER_ADDRESS, ACCOUNT_CLOSED).
    """
    invitation = invited(key)
    locked = invitation and Invitation.objects.select_for_update().filter(pk=invitation.pk, status=Invitation.Status.OPEN).first()
    if not locked:
        raise UserError("This invitation is no longer valid.", "Ask your administrator to send it again.", "INVITATION_VOID")
    known = account_of(invitation)
    if known != user:
        raise UserError("The invitation is for another address.", f"Sign in as {invitation.email}.", "OTHER_ADDRESS")
    if user is not None and not user.is_active:
        raise UserError("This account is closed.", "Ask the platform's operator.", "ACCOUNT_CLOSED")
    if user is None:
        with acting(None, "system: account opened by invitation"):
            user = User.objects.create_user(invitation.email, password, name=name)
    services.claim_address(user)
    with acting(user, "accepted the invitation"):
        rows = Invitation.objects.filter(pk=invitation.pk)
        Invitation.lifecycle.move(rows, "accept", actor=user, accepted_by=user)
        roles = set(invitation.roles) | services.roles_in(invitation.organization, user)
        services.give_roles(invitation.organization, user, services.propose(invitation.invited_by, invitation.organization, user, roles))
    return user


def _new_key() -> tuple[str, str]:
    """A link's secret, and what is kept of it."""
    key = secrets.token_urlsafe(32)
    return key, _digest(key)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _expiry():
    return timezone.now() + timedelta(days=settings.MOC_INVITATION_DAYS)


def _write(invitation: Invitation, key: str) -> None:
    """Sent inside the transaction: an invitation that could not be sent was not made."""
    url = settings.MOC_PUBLIC_URL + reverse("account_invitation", args=[key])
    body = render_to_string("account/email/invitation.txt", {"invitation": invitation, "url": url, "days": settings.MOC_INVITATION_DAYS})
    try:
        send_mail(f"You are invited to {settings.MOC_TITLE}", body.strip() + "\n", settings.DEFAULT_FROM_EMAIL, [invitation.email])
    except (OSError, ValueError) as error:
        raise UserError("The e-mail could not be sent, so nobody was invited.", "Try again later.", "MAIL_FAILED") from error
