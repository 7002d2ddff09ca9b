"""What a user or an organisation holds, the other direction of moc.access.reach: seats, oversight, guardian's grants, support; as rows."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.models import Membership, Organization, OrganizationObjectPermission, OrganizationUserObjectPermission, Oversight, User
from moc.access.support import SupportGrant

MOST = 200  # of each kind


@dataclass(frozen=True)
class Held:
    """One right: on which record, what it lets do, why, and the row that says so."""

    record: Model
    what: str
    why: str
    row: Model


def held_by(holder: User | Organization, viewer: User, permission: str) -> tuple[list[Held], bool]:
    """(the rights of a holder by rows that the viewer may see, whether there are more than MOST of a kind)."""
    seats = Membership.objects.filter(user=holder.pk, is_active=True) if isinstance(holder, User) else None
    organizations = [holder.pk] if seats is None else list(seats.values_list("organization_id", flat=True))
    found, more = [], False
    for kind in _kinds(holder, seats, organizations):
        keys = list(policy.scope(kind.rows.select_related(None), viewer, permission).values_list("pk", flat=True)[: MOST + 1])
        more = more or len(keys) > MOST
        with sight.engine():  # the rows were found within the viewer's scope; they name records, which are not opened by that
            found += [kind.told(row) for row in kind.rows.filter(pk__in=keys[:MOST])]
    return found, more


@dataclass(frozen=True)
class _Kind:
    """Rows of one table that give rights, and how one is told."""

    rows: QuerySet
    told: object


def _kinds(holder: User | Organization, seats: QuerySet | None, organizations: list[int]) -> Iterator[_Kind]:
    if seats is not None:
        yield _Kind(seats.select_related("organization").order_by("organization__name", "role"), _seat)
        grants = OrganizationUserObjectPermission.objects.filter(user=holder.pk)
        yield _Kind(grants.select_related("content_object", "permission").order_by("pk"), _grant)
    overseen = Oversight.objects.filter(overseer__in=organizations).select_related("overseer", "overseen")
    yield _Kind(overseen.order_by("overseen__name"), _oversight)
    for table in apps.get_models():
        if issubclass(table, OrganizationObjectPermission):
            rows = table.objects.filter(organization__in=organizations)
            yield _Kind(rows.select_related("content_object", "organization", "permission").order_by("pk"), _object_permission)
    own = Q(staff=None) | Q(staff=holder.pk) if isinstance(holder, User) else Q()
    support = SupportGrant.objects.live().filter(own, operator__in=organizations)
    yield _Kind(support.select_related("organization").order_by("pk"), _support)


def _seat(row: Membership) -> Held:
    return Held(row.organization, row.get_role_display(), "a member", row)


def _grant(row: OrganizationUserObjectPermission) -> Held:
    return Held(row.content_object, row.permission.name, "granted to the user across organisations", row)


def _oversight(row: Oversight) -> Held:
    return Held(row.overseen, "oversees", f"{row.overseer} oversees it", row)


def _object_permission(row: OrganizationObjectPermission) -> Held:
    return Held(row.content_object, row.permission.name, f"granted to {row.organization}", row)


def _support(row: SupportGrant) -> Held:
    return Held(row.organization, row.get_scope_display(), f"support, until {timezone.localtime(row.until):%d %b %Y, %H:%M}", row)
