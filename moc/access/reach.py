"""Who can reach a record, and why: the facts that policy.py decides on, told as a list."""

from dataclasses import dataclass, replace

from django.db.models import Model, Q
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Membership, Organization, OrganizationObjectPermission, OrganizationUserObjectPermission, Oversight, User
from moc.access.roles import OVERSIGHT, permissions_of, roles_with, support_permissions
from moc.access.support import SupportGrant

WORDS = {"SELF", "PUBLIC", "OPERATOR"}


@dataclass(frozen=True)
class Way:
    """One way by which a user reaches a record: as who, and why. `user` is None where the reader may not know who."""

    user: User | None
    organization: Organization | None
    role: str
    why: str


def is_public(model: type[Model]) -> bool:
    """Whether everybody signed in may read the model's rows."""
    return "PUBLIC" in policy.paths_of(model)


def parties_of(obj: Model) -> dict[int, Organization]:
    """The organisations whose record it is, by the model's access paths and their conditions."""
    conditions = getattr(obj, "access_conditions", {})
    found = set()
    for path in set(policy.paths_of(type(obj))) - WORDS:
        own = type(obj)._base_manager.filter(conditions.get(path, Q()), pk=obj.pk)
        found.update(own.values_list(path, flat=True))
    return Organization.objects.in_bulk(found - {None})


@sight.engine()
def explain(obj: Model, permission: str) -> list[Way]:
    """Every way by which active users reach `obj` with `permission`; for PUBLIC models nobody needs one (`is_public`)."""
    parties = parties_of(obj)
    ways = [*_own(obj), *_members(permission, {pk: f"{party} is a party to it" for pk, party in parties.items()} | _granted(obj, parties))]
    overseeable = parties if permission in OVERSIGHT else ()
    for oversight in Oversight.objects.filter(overseen__in=overseeable).select_related("overseer", "overseen"):
        ways += _members(permission, {oversight.overseer_id: f"{oversight.overseer} oversees {oversight.overseen}, a party to it"})
    if policy.is_operated(type(obj), permission):
        operators = Organization.objects.filter(kind=policy.OPERATOR, is_active=True).exclude(pk__in=parties)
        ways += _members(
            permission, dict.fromkeys(operators.values_list("pk", flat=True), "the platform's operator sees what the platform does")
        )
    return ways + _grants(permission, parties) + _support(permission, parties)


def told_to(viewer: User, ways: list[Way], permission: str) -> list[Way]:
    """The ways as `viewer` may read them: people are named whose seats the viewer sees; others are members of their organisation."""
    seats = policy.scope(Membership.objects.all(), viewer, permission).filter(user__in={way.user for way in ways})
    named = {viewer.pk, *seats.values_list("user_id", flat=True)}
    return list(dict.fromkeys(way if way.user.pk in named else replace(way, user=None) for way in ways))


def _own(obj: Model) -> list[Way]:
    """The user whose row it is."""
    if "SELF" not in policy.paths_of(type(obj)):
        return []
    user = obj if isinstance(obj, User) else obj.user
    return [Way(user, None, "", "the row is the user's own")] if user and user.is_active else []


def _members(permission: str, reasons: dict[int, str]) -> list[Way]:
    """Members of the given organisations whose role gives the permission."""
    giving = set(roles_with(permission))
    seats = Membership.objects.filter(
        organization__in=reasons, is_active=True, user__is_active=True, organization__is_active=True
    ).select_related("user", "organization")
    seats = seats.exclude(Q(client__isnull=False) & ~Q(client__scopes__contains=[permission]))
    return [
        Way(seat.user, seat.organization, seat.get_role_display(), reasons[seat.organization_id])
        for seat in seats.order_by("organization__name", "role", "user__email")
        if (seat.organization.kind, seat.role) in giving
    ]


def _granted(obj: Model, parties: dict[int, Organization]) -> dict[int, str]:
    """Of the parties those that hold an object permission on the record, with what it is."""
    tables = [each.related_model for each in obj._meta.related_objects if issubclass(each.related_model, OrganizationObjectPermission)]
    held = [
        row
        for table in tables
        for row in table.objects.filter(content_object=obj.pk, organization__in=parties).select_related("permission")
    ]
    return {row.organization_id: f"{parties[row.organization_id]} was granted it: {row.permission.name.lower()}" for row in held}


def _grants(permission: str, parties: dict[int, Organization]) -> list[Way]:
    """Users of other organisations who were granted the permission on a party."""
    grants = OrganizationUserObjectPermission.objects.filter(
        content_object__in=parties, permission__codename=permission, user__is_active=True
    ).select_related("user", "content_object")
    return [Way(grant.user, grant.content_object, "", f"granted on {grant.content_object}, a party to it") for grant in grants]


def _support(permission: str, parties: dict[int, Organization]) -> list[Way]:
    """Staff of the operator whom a party's grant lets see its records or act for it, while it lasts."""
    ways = []
    for grant in SupportGrant.objects.live().filter(organization__in=parties).select_related("organization", "operator"):
        seats = Membership.objects.filter(organization=grant.operator, is_active=True, user__is_active=True).select_related("user")
        for seat in seats.order_by("user__email", "role") if grant.staff_id is None else seats.filter(user=grant.staff_id):
            if permission in support_permissions(grant.organization.kind, grant.scope, permissions_of(grant.operator.kind, seat.role)):
                why = f"{grant.organization} has let them until {timezone.localtime(grant.until):%d %b %Y, %H:%M}"
                ways.append(Way(seat.user, grant.operator, seat.get_role_display(), why))
    return ways
