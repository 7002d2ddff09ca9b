"""Members of an organisation and their roles; API tokens. A second person confirms who becomes administrator."""

from collections.abc import Iterable

from allauth.account.models import EmailAddress
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import ApiToken, Membership, Organization, User
from moc.access.roles import ROLES
from moc.accounts.models import AdministratorGrant
from moc.errors import Conflict, UserError
from moc.history import acting

PERMISSION = "manage_members"
MAX_TOKENS = 10
ADMINISTRATOR = Membership.Role.ADMINISTRATOR


def members_of(organization: Organization) -> QuerySet[User]:
    """The people and machines with a role in the organisation."""
    return User.objects.filter(memberships__organization=organization, memberships__is_active=True).distinct().order_by("email")


def roles_in(organization: Organization, user: User) -> set[str]:
    """The roles that a user has in an organisation now."""
    return set(Membership.objects.filter(organization=organization, user=user, is_active=True).values_list("role", flat=True))


def set_roles(*, actor: User, organization: Organization, user: User, roles: Iterable[str], reason: str = "") -> None:
    """Give a member exactly these roles. Nobody changes their own, and the last administrator stays one.

    A new administrator is proposed and becomes one when a second person confirms; the system's word needs none.
    Raises UserError (ROLE_UNKNOWN, OWN_ROLES, MACHINE_CLIENT, LAST_ADMINISTRATOR).
    """
    policy.require(actor, PERMISSION, organization)
    roles = checked(organization, roles)
    _refuse_own(actor, user)
    refuse_machine(user)
    with acting(actor, reason or f"roles in {organization} changed"):
        give_roles(organization, user, propose(actor, organization, user, roles))
        keep_an_administrator(organization)


def propose(actor: User | None, organization: Organization, user: User, roles: set[str]) -> set[str]:
    """The roles that may be given at once; a new administrator is proposed for confirmation. Inside acting()."""
    if actor is None or ADMINISTRATOR not in roles or ADMINISTRATOR in roles_in(organization, user):
        return roles
    AdministratorGrant.objects.get_or_create(
        organization=organization, member=user, status=AdministratorGrant.Status.PROPOSED, defaults={"proposed_by": actor}
    )
    return roles - {ADMINISTRATOR}


@sight.engine()  # asks who else could, also where the actor sees nobody
def may_confirm(actor: User, grant: AdministratorGrant) -> bool:
    """Another administrator of the organisation; where there is none, the operator's or an overseeing regulator's."""
    if actor.pk in {grant.proposed_by_id, grant.member_id}:
        return False
    people = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
    seats = Membership.objects.filter(role=ADMINISTRATOR, is_active=True, user__in=people, organization__is_active=True)
    others = seats.filter(organization=grant.organization_id).exclude(user__in=[grant.proposed_by_id, grant.member_id])
    if others.exists():
        return others.filter(user=actor).exists()
    above = Q(organization__kind="operator") | Q(organization__kind="rerra", organization__oversees__overseen=grant.organization_id)
    return seats.filter(above, user=actor).exists()


def grants_for(user: User) -> list[tuple[AdministratorGrant, bool]]:
    """The proposals that wait for this user's confirmation, as (grant, True)."""
    proposed = AdministratorGrant.objects.filter(status=AdministratorGrant.Status.PROPOSED)
    rows = proposed.visible_to(user, "audit").select_related("organization", "member", "proposed_by")[:200]
    return [(grant, True) for grant in rows if may_confirm(user, grant)]


def grants_waiting_for(user: User) -> QuerySet[AdministratorGrant]:
    """The same as `grants_for` in one statement, for counting: what memberships the user may see decides who else could confirm."""
    seats = Membership.objects.filter(role=ADMINISTRATOR, is_active=True, user__is_active=True, user__kind=User.Kind.PERSON)
    seats = seats.filter(organization=OuterRef("organization"))
    others = seats.exclude(user=OuterRef("proposed_by")).exclude(user=OuterRef("member"))
    proposed = AdministratorGrant.objects.filter(status=AdministratorGrant.Status.PROPOSED).visible_to(user, PERMISSION)
    return proposed.exclude(proposed_by=user).exclude(member=user).filter(Exists(seats.filter(user=user)) | ~Exists(others))


def decide_grant(*, actor: User, grant: AdministratorGrant, name: str, reason: str = "") -> None:
    """Confirm or reject that a member becomes administrator. Raises NotPermitted, Conflict (LIFECYCLE, GRANT_VOID)."""
    if not may_confirm(actor, grant):
        raise policy.NotPermitted(
            "A second person confirms: another administrator, or, where there is none, the operator or the regulator."
        )
    rows = AdministratorGrant.objects.filter(pk=grant.pk)
    with acting(actor, reason or f"{name}: {grant}"):
        AdministratorGrant.lifecycle.move(rows, name, actor=actor, reason=reason, decided_by=actor)
        if name == "confirm":
            if not grant.member.is_active:
                raise Conflict("This person's account is closed.", code="GRANT_VOID")
            give_roles(grant.organization, grant.member, roles_in(grant.organization, grant.member) | {ADMINISTRATOR})


def deactivate_member(*, actor: User, organization: Organization, user: User, reason: str = "") -> None:
    """End somebody's membership: all roles in the organisation. The account stays, because history names it.

    Raises UserError (OWN_ROLES, LAST_ADMINISTRATOR).
    """
    policy.require(actor, PERMISSION, organization)
    _refuse_own(actor, user)
    with acting(actor, reason or f"membership of {organization} ended"):
        give_roles(organization, user, set())
        keep_an_administrator(organization)
        AdministratorGrant.objects.filter(organization=organization, member=user, status=AdministratorGrant.Status.PROPOSED).update(
            status=AdministratorGrant.Status.REJECTED, decided_by=actor
        )
        if not Membership.objects.filter(user=user, is_active=True).exists():
            ApiToken.objects.filter(user=user, revoked_at__isnull=True).update(revoked_at=timezone.now())


def checked(organization: Organization, roles: Iterable[str]) -> set[str]:
    """Roles of the organisation's kind, at least one. Raises UserError (ROLE_UNKNOWN)."""
    roles = set(roles)
    if not roles or not roles <= set(ROLES[organization.kind]):
        raise UserError("Choose at least one of the roles of this kind of organisation.", code="ROLE_UNKNOWN")
    return roles


def _refuse_own(actor: User | None, user: User) -> None:
    if actor is not None and actor.pk == user.pk:
        raise UserError("Nobody changes their own roles.", "Ask another administrator.", "OWN_ROLES")


def refuse_machine(user: User) -> None:
    """People's roles are none of a machine client. Raises UserError (MACHINE_CLIENT)."""
    if user.kind == User.Kind.MACHINE:
        raise UserError("A machine client has one role, for good.", "Make another client with the other role.", "MACHINE_CLIENT")


def give_roles(organization: Organization, user: User, roles: set[str]) -> None:
    """End the roles that are not wanted, revive or add those that are; what stays leaves no version."""
    seats = Membership.objects.filter(organization=organization, user=user)
    seats.exclude(role__in=roles).update(is_active=False)
    seats.filter(role__in=roles).update(is_active=True)
    missing = roles - set(seats.values_list("role", flat=True))
    Membership.objects.bulk_create(Membership(organization=organization, user=user, role=role) for role in sorted(missing))


def keep_an_administrator(organization: Organization) -> None:
    """The organisation's row is locked, so that two administrators cannot end each other at once."""
    Organization.objects.select_for_update(of=("self",)).get(pk=organization.pk)
    people = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
    if not Membership.objects.filter(organization=organization, role=ADMINISTRATOR, is_active=True, user__in=people).exists():
        raise UserError(
            "An organisation keeps at least one administrator.", "Make somebody else administrator first.", "LAST_ADMINISTRATOR"
        )


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
