"""THE permission file: may I, which may I, and who may. Nothing else decides.

Rights come from memberships and roles.py, in one's own organisation and in those it oversees; guardian adds grants across organisations:
to a user on an organisation, and to an organisation on one record (an access path leads through the grant).
A model declares `access_paths`: foreign keys to organisations (or `id` on Organization itself), or SELF (a `user` key, or the user itself),
PUBLIC (everybody signed in), OPERATOR (staff of the platform's operator, who see operational facts and no organisation's records).
History inherits its model's.

Two things narrow a user object: a token's `scopes` (a machine client holds what its role and its token both give, also of what is its own
or public), and `support`: staff who act for an organisation under its grant have that grant's rights and no others (moc.access.support).
"""

import json
from collections import defaultdict
from copy import copy
from datetime import datetime

from django.core.exceptions import FieldDoesNotExist, PermissionDenied
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone
from psycopg import sql

from moc import sight
from moc.access import tenure, visibility
from moc.access.machines import MachineToken
from moc.access.models import Membership, Organization, Oversight, User
from moc.access.roles import OPERATING, OVERSIGHT, permissions_of, roles_with, support_permissions
from moc.bulk import embedded, fetch_sql

OPERATOR = Organization.Kind.OPERATOR


class NotPermitted(PermissionDenied):
    """The actor lacks the permission; pages answer 404 where the object may not even be seen."""


def _rights(user) -> dict[str, frozenset[int]]:
    """permission → organisation ids, widened by oversight; resolved once per user object (a request has one)."""
    if user is None or not user.is_authenticated or not user.is_active:
        return {}
    cached = getattr(user, "_moc_rights", None)
    if cached is None:
        cached = user._moc_rights = _resolve(user)
    return cached


def sight_of(user) -> sight.Sight:
    """What row-level security lets `user` see: the user's own rows, those of every organisation that a permission reaches (not where the
    operator only invites), and for the operator's staff what the platform is run by."""
    if user is None or not user.is_authenticated or not user.is_active:
        return sight.NOTHING
    organizations = frozenset().union(*_rights(user).values()) - user._moc_invites
    operator = bool(user._moc_operates & OPERATING)
    return sight.Sight(user=user.pk, organizations=tuple(sorted(organizations)), operator=operator, hidden=user._moc_hidden)


def hidden_from(user) -> sight.Hidden:
    """The columns that a regulator has hidden from organisations of the user's kind (moc.access.visibility)."""
    return sight_of(user).hidden


@sight.engine()
def _resolve(user) -> dict[str, frozenset[int]]:
    """Rights by membership, by oversight and by grants; a token's membership counts while the token lives."""
    rights: dict[str, set[int]] = defaultdict(set)
    kinds = user._moc_kinds = {}
    user._moc_invites, user._moc_hidden = frozenset(), {}
    own, oversight, granted, said = _told(user)
    acting_as = [user.support.organization.kind] if user.support else [kind for _, kind, _ in own]
    if own:  # whoever has no seat has no right but a grant's, which is of the party that gave it
        user._moc_hidden = visibility.hidden_from(acting_as, said)
    if user.support is not None:
        return _supporting(user, own)
    staff = {permission for _, kind, role in own if kind == OPERATOR for permission in permissions_of(kind, role)}
    user._moc_operates = _narrowed(user, staff)
    overseen = defaultdict(set)
    for overseer, organization, kind in oversight:
        overseen[overseer].add(organization)
        kinds[organization] = kind
    for organization, kind, role in own:
        kinds[organization] = kind
        for permission in permissions_of(kind, role):
            rights[permission] |= {organization} | (overseen[organization] if permission in OVERSIGHT else set())
    for permission, organization, kind in () if staff else granted:  # who hands out oversight and grants comes in by support access only
        rights[permission].add(organization)
        kinds[organization] = kind
    if "manage_members" in staff:
        unseated = dict(_without_administrator().values_list("pk", "kind"))
        user._moc_invites = frozenset(unseated) - {pk for pk, _, _ in own}
        rights["manage_members"] |= unseated.keys()
        kinds |= unseated
    return {permission: frozenset(rights[permission]) for permission in _narrowed(user, rights)}


def _told(user) -> tuple[list[tuple], list[tuple], list[tuple], list[dict]]:
    """What gives a user rights, in one query that every request makes.

    Seats (organisation, kind, role), what these oversee (overseer, organisation, kind), grants (permission, organisation, kind), and what
    the law hides today ({authority, value}).
    """
    living = sql.SQL("AND membership.id IN ({})").format(embedded(MachineToken.seats_of(user.token))) if user.token else sql.SQL("")
    given = {"user": user.pk, "operator": OPERATOR, "hidden": visibility.KEY, "today": timezone.localdate()}
    own, overseen, granted, said = [], [], [], []
    for what, organization, kind, name, overseer in fetch_sql("rights", given, living=living):
        if what == "seat":
            own.append((organization, kind, name))
        elif what == "overseen":
            overseen.append((overseer, organization, kind))
        elif what == "granted":
            granted.append((name, organization, kind))
        else:
            said.append({"authority": kind, "value": json.loads(name)})
    return own, overseen, granted, said


def _narrowed(user, permissions) -> frozenset[str]:
    """The permissions that the token of this user object lets through; all of them without a token."""
    return frozenset(permissions) if user.scopes is None else user.scopes.intersection(permissions)


def _supporting(user, own: list[tuple]) -> dict[str, frozenset[int]]:
    """The rights of the operator's staff who act for an organisation: those of its grant, nothing of their own."""
    grant, user._moc_operates = user.support, frozenset()
    staff = {permission for pk, kind, role in own if pk == grant.operator_id for permission in permissions_of(kind, role)}
    if not staff or not grant.is_live:
        return {}
    user._moc_kinds[grant.organization_id] = grant.organization.kind
    return dict.fromkeys(support_permissions(grant.organization.kind, grant.scope, staff), frozenset({grant.organization_id}))


def _without_administrator() -> QuerySet[Organization]:
    """Organisations that nobody administers yet, or any more: there the operator's administrators invite the first."""
    seated = Membership.objects.filter(
        role=Membership.Role.ADMINISTRATOR, is_active=True, user__is_active=True, user__kind=User.Kind.PERSON
    )
    return Organization.objects.filter(~Exists(seated.filter(organization=OuterRef("pk"))), is_active=True)


def reach(user, permission: str) -> frozenset[int]:
    """Ids of the organisations in which `user` holds `permission`."""
    return _rights(user).get(permission, frozenset())


def reach_of(user, permission: str, kind: str) -> frozenset[int]:
    """Those of `reach` that are of one kind: the operator's staff hold a utility's permission in no utility."""
    return frozenset(pk for pk in reach(user, permission) if user._moc_kinds[pk] == kind)


@sight.engine()
def within(user, organization: Organization):
    """The user with the rights by one organisation only: in it and in those that it oversees. What is its file holds no other's rows."""
    seen = {organization.pk, *Oversight.objects.filter(overseer=organization).values_list("overseen_id", flat=True)}
    rights, narrowed = _rights(user), copy(user)
    narrowed._moc_rights = {permission: found & seen for permission, found in rights.items() if found & seen}
    narrowed._moc_operates = user._moc_operates if organization.kind == OPERATOR else frozenset()
    return narrowed


def held(user) -> tuple[frozenset[str], frozenset[str]]:
    """The permissions that the user holds anywhere, and those of the operator's staff: whoever holds the same is offered the same."""
    rights = _rights(user)
    return frozenset(rights), user._moc_operates if rights else frozenset()


def holds_anything(user) -> bool:
    """Whether any right is left: a token whose client, secret, membership or organisation has ended has none."""
    return bool(_rights(user))


@sight.engine()
def own_organizations(user) -> list[Organization]:
    """The organisations that the user is a member of, or acts for."""
    if user is None or not user.is_authenticated or not user.is_active:
        return []
    if user.support is not None:
        return [user.support.organization]
    return list(Organization.objects.filter(memberships__user=user, memberships__is_active=True, is_active=True).distinct())


def operates(user, permission: str) -> bool:
    """True for staff of the platform's operator who hold the permission: over what is public and over operational facts."""
    return bool(_rights(user)) and permission in user._moc_operates


def is_operated(model: type[Model], permission: str) -> bool:
    """Whether the rows of a model are the operator's to see, or to administer."""
    paths = paths_of(model)
    return "PUBLIC" in paths or ("OPERATOR" in paths and permission in OPERATING)


def _whole(model: type[Model], user, permission: str) -> bool:
    """Whether all rows of a model are open to the user."""
    return "PUBLIC" in paths_of(model) or (is_operated(model, permission) and operates(user, permission))


def _closed(user, permission: str) -> bool:
    """Whether nothing is open: to a stranger, or to a token without this permission, not even what is public or its own."""
    if user is None or not user.is_authenticated or not user.is_active:
        return True
    return user.scopes is not None and not reach(user, permission)


def paths_of(model: type[Model]) -> tuple[str, ...]:
    """The access paths of a model; history has its model's."""
    return getattr(model, "instance_type", model).access_paths


def scope(rows: QuerySet, user, permission: str = "view_registry") -> QuerySet:
    """The rows that `user` may see with `permission`."""
    if _closed(user, permission):
        return rows.none()
    if _whole(rows.model, user, permission):
        return rows
    condition, moment = Q(), getattr(rows, "moment", None)
    organizations = reach(user, permission)
    for path in paths_of(rows.model):
        if path == "SELF":
            condition |= _own(rows.model, user)
        elif path != "OPERATOR" and (mine := [pk for pk in sorted(organizations) if _may_stand_in(path, user._moc_kinds[pk])]):
            condition |= _along(rows.model, path, mine, moment)
    return rows.filter(condition) if condition else rows.none()


def branches(model: type[Model], user, permission: str = "view_registry", moment: datetime | None = None) -> list[Q] | None:
    """The same as `scope`, one condition per (path, organisation), so that each branch is an index range; None means everything.

    `moment` is that of rows as of a moment.
    Branches are disjoint: a record is in the first that has it. A path named after a kind of organisation has branches only for that kind.
    """
    if _closed(user, permission):
        return []
    if _whole(model, user, permission):
        return None
    found, earlier = ([_own(model, user)], _own(model, user)) if "SELF" in paths_of(model) else ([], Q())
    for path in paths_of(model):
        organizations = [pk for pk in sorted(reach(user, permission)) if _may_stand_in(path, user._moc_kinds[pk])]
        if path in {"SELF", "OPERATOR"} or not organizations:
            continue
        rest = ~earlier if earlier else Q()
        found += [_along(model, path, [organization], moment) & rest for organization in organizations]
        earlier |= _along(model, path, organizations, moment)
    return found


def _own(model: type[Model], user) -> Q:
    """A user's own rows; a user's own row among users."""
    return Q(id=user.pk) if getattr(model, "instance_type", model) is User else Q(user=user)


def _along(model: type[Model], path: str, organizations: list[int], moment: datetime | None = None) -> Q:
    """The rows that a path opens to organisations, of versions those within the tenure.

    A path through rows that point here is a subquery: no row comes twice, and versions,
    which nothing points at, go by their object."""
    key = _key(model, path)
    found = Q(**{key: organizations[0]} if len(organizations) == 1 else {f"{key}__in": organizations}) & _only_when(model, path)
    if not _points_here(model, path):
        return found & tenure.within(model, path, moment)
    owner = getattr(model, "instance_type", model)
    return Q(**{f"{owner._meta.pk.attname}__in": owner._base_manager.filter(found).order_by().values("pk")})


def _points_here(model: type[Model], path: str) -> bool:
    """Whether a path passes rows of a table that point at the one before: one record may have many of them."""
    model = getattr(model, "instance_type", model)
    for step in path.split("__"):
        field = model._meta.get_field(step)
        if not field.concrete:
            return True
        model = field.related_model
    return False


def _may_stand_in(path: str, kind: str) -> bool:
    """Foreign keys are named after the kind of organisation that they hold: a utility is nobody's `aggregator`."""
    name = path.rpartition("__")[2]
    return name == kind or name not in Organization.Kind.values


def _only_when(model: type[Model], path: str) -> Q:
    """A model may open a path under a condition only (`access_conditions`): a utility sees filings from their submission on."""
    return getattr(getattr(model, "instance_type", model), "access_conditions", {}).get(path, Q())


def _key(model: type[Model], path: str) -> str:
    """`edc` → `edc_id`, so that a literal id needs no join; a path through another table stays as it is."""
    if "__" in path or path == "id":
        return path
    try:
        return model._meta.get_field(path).attname
    except FieldDoesNotExist:
        return path


def allows(user, permission: str, obj: Model | None = None) -> bool:
    """May `user` do this to `obj` (an organisation, or a record with access paths), or anywhere when there is no object?"""
    if operates(user, permission) and _operates_on(obj, permission):
        return True
    organizations = reach(user, permission)
    if obj is None or not organizations:
        return bool(organizations)
    return bool(organizations & _organizations_of(obj))


def _operates_on(obj: Model | None, permission: str) -> bool:
    """What the operator's staff may do to an object. An organisation is administered; what is done in it is its own people's."""
    if obj is None or isinstance(obj, Organization):
        return obj is None or permission == "administer"
    return is_operated(type(obj), permission)


def _organizations_of(obj: Model) -> set[int]:
    if isinstance(obj, Organization):
        return {obj.pk}
    live, found, asked = getattr(type(obj), "instance_type", type(obj)), set(), defaultdict(list)
    for path in set(paths_of(live)) - {"SELF", "PUBLIC", "OPERATOR"}:
        condition = _only_when(live, path)
        if condition or "__" in path:
            asked[condition].append(path)
        else:
            found.add(getattr(obj, _key(live, path)))
    for condition, paths in asked.items():  # one query for all paths that are open together
        same = live._base_manager.filter(condition, pk=getattr(obj, live._meta.pk.attname))
        found.update(*same.order_by().values_list(*paths).distinct())
    return found - {None}


def require(user, permission: str, obj: Model | None = None) -> None:
    """First line of every service: refuse an actor without the permission. None (the system, inside acting) may."""
    if user is not None and not allows(user, permission, obj):
        raise NotPermitted(f"{user} may not {permission.replace('_', ' ')} here.")


def holders(permission: str, organization: Organization) -> QuerySet[User]:
    """Who may act in an organisation: for work queues and notices."""
    roles = [role for kind, role in roles_with(permission) if kind == organization.kind]
    return User.objects.filter(
        is_active=True, memberships__organization=organization, memberships__role__in=roles, memberships__is_active=True
    ).distinct()


def part_of(rows: QuerySet, organization: Organization) -> QuerySet:
    """The rows to which an organisation is a party: what it may take out. What is open to everybody is nobody's part, nor what is only
    shown to it (a model's `only_shown` paths)."""
    condition, shown = Q(), getattr(getattr(rows.model, "instance_type", rows.model), "only_shown", ())
    for path in paths_of(rows.model):
        if path not in {"SELF", "PUBLIC", "OPERATOR", *shown}:
            condition |= _along(rows.model, path, [organization.pk])
    return rows.filter(condition) if condition else rows.none()
