"""Grants of support: given and revoked by the organisation's administrator, entered and left by the operator's staff."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from moc.access import policy
from moc.access.models import Membership, Organization, User
from moc.access.support import SupportAct, SupportGrant
from moc.errors import UserError
from moc.history import acting
from moc.rulesets.models import RuleSet

PERMISSION = "manage_members"
LIMIT = "support_grant_days"


def longest() -> timedelta:
    """How long a grant may last, by the rule set in force."""
    return timedelta(days=RuleSet.objects.value_of(LIMIT, timezone.localdate()))


def operators() -> QuerySet[Organization]:
    """The organisations whose staff may be let in."""
    return Organization.objects.filter(kind=policy.OPERATOR, is_active=True)


def grant(
    *, actor: User, organization: Organization, operator: Organization, scope: str, until: datetime, reason: str, staff: User | None = None
) -> SupportGrant:
    """Let the operator's staff, or one of them, see the organisation's records or act for it until a moment.

    Only a person who is administrator of the organisation grants it. Raises UserError (SUPPORT_PARTY, SUPPORT_PERIOD).
    """
    policy.require(actor, PERMISSION, organization)
    _require_own_administrator(actor, organization)
    if operator.kind != policy.OPERATOR or operator.pk == organization.pk:
        raise UserError("Only staff of the platform's operator give support.", "Choose the operator.", "SUPPORT_PARTY")
    if staff is not None and not Membership.objects.filter(user=staff, organization=operator, is_active=True).exists():
        raise UserError(f"Nobody of that address works for {operator}.", "Leave it empty for all its staff.", "SUPPORT_PARTY")
    now = timezone.now()
    if not now < until <= now + longest():
        raise UserError(f"Support ends within {longest().days} days.", "Choose an earlier end in the future.", "SUPPORT_PERIOD")
    with acting(actor, f"let support in: {reason}"):
        return SupportGrant.objects.create(
            organization=organization,
            operator=operator,
            staff=staff,
            scope=scope,
            until=until,
            reason=reason,
            granted_by=actor,
            granted_at=now,
        )


def revoke(*, actor: User, grant: SupportGrant) -> None:
    """End a grant now; staff who act under it are out with their next request."""
    policy.require(actor, PERMISSION, grant.organization)
    with acting(actor, "support ended"):
        SupportGrant.objects.live().filter(pk=grant.pk).update(revoked_at=timezone.now())


def enter(*, actor: User, grant: SupportGrant) -> None:
    """The organisation reads when staff began to act under its grant. Raises NotPermitted for a grant that is not theirs, or no more."""
    if not SupportGrant.objects.given_to(actor).filter(pk=grant.pk).exists():
        raise policy.NotPermitted("This grant is not given to you, or has ended.")
    SupportAct.objects.create(grant=grant, user=actor, reason="Entered")


def leave(*, actor: User) -> None:
    """The organisation reads when they left."""
    if actor.support is not None:
        SupportAct.objects.create(grant=actor.support, user=actor, reason="Left")


def _require_own_administrator(actor: User, organization: Organization) -> None:
    """Neither staff who act for it nor a program opens an organisation to support."""
    seats = Membership.objects.filter(user=actor, organization=organization, role=Membership.Role.ADMINISTRATOR, is_active=True)
    if actor.kind != User.Kind.PERSON or not seats.exists():
        raise policy.NotPermitted("Support is granted by an administrator of the organisation.")
