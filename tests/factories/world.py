"""A small world: two organisations of each kind with everybody in them, and a grid for the two utilities."""

from dataclasses import dataclass, field

from django.contrib.auth.hashers import make_password

from moc.access.machines import MachineClient
from moc.access.models import Membership, Organization, Oversight, User
from moc.access.roles import ROLES, permissions_of
from moc.history import acting
from moc.rulesets import services as rulesets
from registry.catalogue import services as catalogue
from registry.grid.models import County, Feeder, ServicePoint
from tests.factories import grid
from tests.factories.registrations import register

PASSWORD = "correct horse battery"
REASON = "system: tests"
OVERSEEN = {"tso": "edc", "rerra": "edc", "tso2": "edc2", "rerra2": "edc2"}


@dataclass
class World:
    """What `build` made. Organisations are keyed "edc" (the first of its kind) and "edc2" (the second)."""

    organizations: dict[str, Organization]
    users: dict[tuple[str, str], User]
    machine: User
    machine2: User
    nobody: User
    programs: dict[str, User] = field(default_factory=dict)
    counties: list[County] = field(default_factory=list)
    feeders: dict[str, list[Feeder]] = field(default_factory=dict)
    service_points: dict[str, list[ServicePoint]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Organization:
        """world.edc, world.aggregator2 and so on."""
        try:
            return self.__dict__["organizations"][name]
        except KeyError:
            raise AttributeError(name) from None

    def user(self, organization: str, role: str) -> User:
        """The one user with this role in "edc", "edc2" and so on; each has exactly one role."""
        return self.users[organization, role]

    def all_seeing(self, role: str = "auditor") -> User:
        """The user of the regulator with this role, who oversees both utilities from now on."""
        with acting(None, REASON):
            Oversight.objects.get_or_create(overseer=self.rerra, overseen=self.edc2)
        return self.user("rerra", role)


def build() -> World:
    """The world in the database, built in a few statements."""
    with acting(None, REASON):
        organizations = _organizations()
        users = _users(organizations)
        world = World(
            organizations,
            users,
            machine=machine(organizations["aggregator"], "filer"),
            machine2=machine(organizations["aggregator2"], "filer"),
            nobody=User.objects.create_user("nobody@example.org", PASSWORD, name="Nobody's member"),
        )
        world.counties = grid.counties()
        for key, tso in (("edc", "tso"), ("edc2", "tso2")):
            laid = grid.lay(organizations[key], organizations[tso], world.counties)
            world.feeders[key], world.service_points[key] = laid
        rulesets.load()
        catalogue.load()
        for second in ("", "2"):
            register([organizations[f"aggregator{second}"]], organizations[f"rerra{second}"], users[f"aggregator{second}", "administrator"])
    return world


def _organizations() -> dict[str, Organization]:
    keys = [f"{kind}{second}" for kind in ROLES for second in ("", "2")]
    made = Organization.objects.bulk_create(
        Organization(
            kind=key.rstrip("2"),
            name=f"{key.capitalize()} of the tests",
            legal_name=f"{key.capitalize()}, Inc.",
            slug=key,
        )
        for key in keys
    )
    organizations = dict(zip(keys, made, strict=True))
    Oversight.objects.bulk_create(
        Oversight(overseer=organizations[overseer], overseen=organizations[overseen]) for overseer, overseen in OVERSEEN.items()
    )
    return organizations


def _users(organizations: dict[str, Organization]) -> dict[tuple[str, str], User]:
    """One user per organisation and role; e-mail <role>@<organisation key>.example.org, password PASSWORD."""
    password = make_password(PASSWORD)
    seats = [(key, role) for key, organization in organizations.items() for role in ROLES[organization.kind]]
    people = User.objects.bulk_create(
        User(
            email=f"{role}@{key}.example.org",
            name=f"{role.capitalize()} of {key}",
            password=password,
        )
        for key, role in seats
    )
    Membership.objects.bulk_create(
        Membership(user=user, organization=organizations[key], role=role) for user, (key, role) in zip(people, seats, strict=True)
    )
    return dict(zip(seats, people, strict=True))


def machine(organization: Organization, role: str, *scopes: str) -> User:
    """The user of a new machine client, with all scopes of its role unless some are given. Runs inside acting()."""
    email = f"{role}-machine@{organization.slug}.example.org"
    user = User.objects.create_user(email, None, name=f"{role.capitalize()} machine", kind=User.Kind.MACHINE)
    seat = Membership.objects.create(user=user, organization=organization, role=role)
    given = sorted(scopes or permissions_of(organization.kind, role))
    MachineClient.objects.create(name=user.name, membership=seat, scopes=given)
    return user
