"""The scene of the access matrix: everybody who could knock, and one object of each kind behind the doors."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from fnmatch import fnmatchcase

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.db import connection, models
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from moc import sealed
from moc.access.machines import MachineClient, UsedAssertion, digest_of
from moc.access.models import ApiToken, Membership, Organization, OrganizationUserObjectPermission, User
from moc.access.roles import ROLES
from moc.access.support import SupportAct, SupportGrant
from moc.accesslog.services import exported, note
from moc.accounts.models import AdministratorGrant, Admission, Invitation, SignInDomain, SignInFailures, SignInProvider
from moc.documents.models import Document
from moc.history import acting
from moc.jobs.models import Job
from moc.notices.models import Notice
from moc.readers.shape import Sheet
from moc.rulesets.models import RuleSet
from moc.vault.models import DataKey
from registry.ders.models import Der
from registry.grid.models import County
from registry.participants.models import OrganizationIdentifier
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.submissions.rules import CONDITIONS
from tests.contracts import (
    scene_aggregations,
    scene_changes,
    scene_disputes,
    scene_intents,
    scene_messages,
    scene_operations,
    scene_participants,
    scene_prequalification,
    scene_reports,
    scene_seals,
    scene_utility,
)
from tests.factories.browser import Browser
from tests.factories.machines import token_for
from tests.factories.personal import contact, filed_owner, registered_owner
from tests.factories.presence import sign_in
from tests.factories.world import REASON, World, build, machine

# one per (kind, role), the most powerful of each second organisation, machine clients, somebody without a seat, and a stranger
SEATS = tuple(f"{kind}:{role}" for kind, roles in ROLES.items() for role in roles)
SECOND = tuple(f"{kind}2:administrator" for kind in ROLES)
ACTORS = (*SEATS, *SECOND, "machine", "machine2", "nobody", "stranger")
MACHINE_SEATS = tuple(f"program {seat}" for seat in SEATS)  # a machine client of each kind and role: they have the API as people have it
UNWATCHED = {"django_session", "moc_cache", "moc_machineclient"}  # of a client its history is watched: its last use is not in it
WRITTEN = """
    SELECT relname, pg_stat_get_xact_tuples_inserted(oid) + pg_stat_get_xact_tuples_updated(oid) + pg_stat_get_xact_tuples_deleted(oid)
    FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
"""  # as pg_stat_xact_user_tables has it, which reads all indexes too
OWN = "aggregator:filer"  # whose job, notice and token the scene holds


def who(*patterns: str) -> frozenset[str]:
    """Actors by pattern: "edc:*", "edc:reviewer|approver", "*:auditor" (of the first organisations), "machine"."""
    found = set()
    for pattern in patterns:
        kind, _, roles = pattern.partition(":")
        wanted = [f"{kind}:{role}" for role in roles.split("|")] if roles else [kind]
        matched = {actor for actor in ACTORS for each in wanted if fnmatchcase(actor, each) and ("2" in actor) == ("2" in each)}
        assert matched, f"{pattern} is nobody"
        found |= matched
    return frozenset(found)


NOBODY = frozenset()
EVERYBODY = frozenset(ACTORS)
MACHINES = who("machine", "machine2")  # they have the API; the pages send them to the sign-in page
SIGNED_IN = EVERYBODY - MACHINES - {"stranger"}
MEMBERS = SIGNED_IN - {"nobody"}
OPERATORS = who("operator:*", "operator2:administrator")
AGGREGATOR, UTILITY = who("aggregator:*", "machine"), who("edc:*")
OVERSEERS = who("tso:*", "rerra:*")


@dataclass
class Scene:
    """The world with objects between "aggregator" and "edc", and a client for each actor."""

    world: World
    objects: dict[str, models.Model]
    clients: dict[str, Client]
    api: dict[str, APIClient]
    keys: int = 0

    def __getattr__(self, name: str) -> models.Model:
        """scene.der, scene.review and so on."""
        try:
            return self.__dict__["objects"][name]
        except KeyError:
            raise AttributeError(name) from None

    def user(self, actor: str) -> User | None:
        return user_of(self.world, actor)


class Once(dict):
    """Objects by name; a name is given once."""

    def __ior__(self, made: dict[str, models.Model]) -> "Once":
        assert not self.keys() & made.keys(), f"given twice: {self.keys() & made.keys()}"
        return super().__ior__(made)


def user_of(world: World, actor: str) -> User | None:
    if actor == "stranger":
        return None
    if actor in MACHINE_SEATS:
        return world.programs[actor]
    if ":" in actor:
        return world.user(*actor.split(":"))
    return getattr(world, actor)


def written() -> dict[str, int]:
    """table → rows inserted, updated and deleted by this transaction so far, also those rolled back to a savepoint."""
    with connection.cursor() as cursor:
        cursor.execute(WRITTEN)
        return {table: count for table, count in cursor.fetchall() if count and table not in UNWATCHED}


def make_scene() -> Scene:
    """Build the world and its objects, and sign everybody in."""
    world = build()
    with acting(None, REASON):
        objects = Once()
        for part in (_participants, _filed, _own, _machines, _support, _identity):
            objects |= part(world)
        objects |= scene_utility.objects(world, objects)
        objects |= scene_messages.objects(world, user_of(world, OWN))
        objects |= scene_participants.objects(world, objects["admission"].organization)
        objects |= scene_participants.owned(world, objects["der"])
        objects |= scene_aggregations.objects(world, objects["der"])
        objects |= scene_prequalification.objects(world, objects)
        objects |= scene_operations.objects(world)
        objects |= scene_operations.answered(world, objects)
        objects |= scene_operations.alarmed(objects)
        objects |= scene_operations.coordinated(world)
        objects |= scene_operations.connected(world, objects)
        objects |= scene_disputes.objects(world, objects)
        objects |= scene_changes.objects(world, objects)
        objects |= scene_reports.objects(world)
        objects |= scene_intents.objects(world)
        objects |= scene_seals.objects(world)
        Notice.objects.exclude(pk=objects["notice"].pk).delete()  # of what the parts did on the way
        clients = _clients(world)
    return Scene(world, objects, *clients)


def _clients(world: World) -> tuple[dict[str, Client], dict[str, APIClient]]:
    clients, api = {}, {}
    for actor in (*ACTORS, *MACHINE_SEATS):
        user = user_of(world, actor)
        clients[actor], api[actor] = Browser(), APIClient()
        if user is not None:
            sign_in(clients[actor], user)
            secret = token_for(user) if user.kind == User.Kind.MACHINE else ApiToken.issue(user, "matrix")[1]
            api[actor].credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return clients, api


def _participants(world: World) -> dict[str, models.Model]:
    grant = OrganizationUserObjectPermission.objects.create(
        user=world.user("rerra", "auditor"), permission=_permission(), content_object=world.aggregator
    )
    ruleset = RuleSet.objects.create(key="matrix", value=1, valid_during=("2020-01-01", None), source="tests")
    ruleset.refresh_from_db()
    return {
        "grant": grant,
        "contact": contact(world.edc, name="A contact", email="contact@example.org"),
        "identifier": OrganizationIdentifier.objects.create(organization=world.edc, scheme="lei", value="5493001KJTIIGC8Y1R12"),
        "seat": Membership.objects.get(user=world.user("edc", "viewer")),
        "ruleset": ruleset,
        "unserved": County.objects.create(fips="34003", name="Bergen", state="NJ"),
        "newcomer": Organization.objects.create(kind="edc", name="New utility", slug="newcomer"),
    }


def _permission() -> Permission:
    return Permission.objects.get(codename="export", content_type__app_label="moc")


FACTS = {
    "der_type": "photovoltaic",
    "nameplate_ac_kw": "5",
    "approved_export_kw": "5",
    "approved_import_kw": "0",
    "interconnection_agreement_no": "IA-1",
    "customer_sector": "residential",
    "consent_reference": "C-1",
    "premise_address": "1 Test Street, Red Bank",
}


def _filed(world: World) -> dict[str, models.Model]:
    """A submission under review with a registered DER and decisions, a draft, and a file being read."""
    parties = {"aggregator": world.aggregator, "edc": world.edc}
    point, now = world.service_points["edc"][0], timezone.now()
    owner = registered_owner(**parties, edc_account_no="A-1", owner_name="An owner", owner_email="owner@example.org")
    der = Der.objects.create(**FACTS, **parties, external_id="D-1", service_point=point, registered_on=timezone.localdate(), owner=owner)
    submission = _submitted(world)
    review = UtilityReview.objects.create(
        submission=submission, **parties, row_count=3, started_at=now, due_at=now + timedelta(days=60), clock_rule=RuleSet.objects.first()
    )
    found = {"owner": owner, "der": der, "submission": submission, "review": review}
    found |= _decided(world, review, {**FACTS, **parties, "submission": submission, "service_point": point}, der)
    return found | _draft(world, parties) | _reading(world)


def _submitted(world: World) -> Submission:
    table = document(world, b"external_id\nD-1\nD-2\nD-4\n", kind="upload", owner=world.aggregator)
    submission = Submission.objects.create(
        aggregator=world.aggregator,
        source="file",
        title="A submission",
        document=table,
        sheet=asdict(Sheet(("external_id",), ("external_id",), (), (), "utf-8", ",", "csv")),
        submitted_at=timezone.now(),
        submitted_by=world.user("aggregator", "approver"),
        attestation_sha256="0" * 64,
        attestation_version="1",
    )
    for status in ("submitted", "in_review"):
        Submission.objects.update(status=status)
    submission.refresh_from_db()
    return submission


def _decided(world: World, review: UtilityReview, facts: dict, der: Der) -> dict[str, models.Model]:
    """Three rows: one asked about, one open, one proposed for denial."""
    evidence = document(world, b"evidence", kind="evidence", owner=world.edc, counterparty=world.aggregator)
    by = {"review": review, "row_count": 1, "decided_by": world.user("edc", "reviewer")}
    question = Decision.objects.create(**by, kind="request_info", statement="Which inverter?")
    denial = Decision.objects.create(
        **by, kind="deny", status="proposed", reason_code="data_mismatch", evidence=evidence, statement="Not as known."
    )
    rows = [
        StagedDer.objects.create(**facts, row_number=1, external_id="D-1", der=der, decision=question),
        StagedDer.objects.create(**facts, row_number=2, external_id="D-2", model="open"),
        StagedDer.objects.create(**facts, row_number=3, external_id="D-4", decision=denial),
    ]
    for row, status in zip(rows[::2], ("info_requested", "denial_proposed"), strict=True):
        StagedDer.objects.filter(pk=row.pk).update(status=status)
    UtilityReview.objects.update(status="info_requested")
    owners = [filed_owner(row, edc_account_no=f"A-{row.row_number}", owner_name="An owner") for row in rows]
    finding = {"submission": review.submission, "row": rows[1], "row_number": 2, "code": CONDITIONS[0].code, "severity": "warning"}
    look = note(actor=None, holder=world.edc.pk, filed_by=world.aggregator.pk, record="owner", subject=None, columns=[], purpose="account")
    return {
        "look": look,
        "logged_export": exported(actor=None, organization=world.edc, what="DERs", format="csv", rows=1),
        "data_key": DataKey.objects.get(organization=world.edc),
        "document": evidence,
        "decision": question,
        "denial": denial,
        "row": rows[1],
        "staged_owner": owners[1],
        "finding": Finding.objects.create(**finding, column="model"),
    }


def _draft(world: World, parties: dict) -> dict[str, models.Model]:
    """A draft with one good row, not yet checked."""
    point = world.service_points["edc"][1]
    draft = Submission.objects.create(aggregator=world.aggregator, source="form", title="A draft", row_count=1)
    known = {"usage_point_id": point.usage_point_id, "utility_id_eia": world.edc.utility.eia_id}
    row = StagedDer.objects.create(
        **FACTS, **parties, **known, submission=draft, row_number=1, external_id="D-3", serial_no="SN-3", service_point=point
    )
    filed_owner(row, edc_account_no="A-4", owner_name="An owner")
    return {"draft": draft, "draft_row": row}


def _reading(world: World) -> dict[str, models.Model]:
    """A submission whose file is being read."""
    job = Job.objects.create(user=user_of(world, OWN), task="registry.submissions.tasks.stage", title="Reading")
    reading = Submission.objects.create(aggregator=world.aggregator, source="file", title="Reading", status="staging", job=job)
    return {"reading": reading}


def document(world: World, content: bytes, **facts) -> Document:
    upload = ContentFile(content, name="study.csv")
    return Document.objects.create(file=upload, name="study.csv", size=len(content), sha256="0" * 64, **facts)


def _own(world: World) -> dict[str, models.Model]:
    user = user_of(world, OWN)
    token, _ = ApiToken.issue(user, "own")
    return {
        "job": Job.objects.create(user=user, task="moc.jobs.tasks.sweep", title="A job"),
        "notice": Notice.objects.create(user=user, event="test", subject="A notice", body="A body"),
        "token": token,
    }


def _machines(world: World) -> dict[str, models.Model]:
    """A machine client for every seat; the utility's reviewer has a secret, a token that it got, and an assertion that was used."""
    for seat in MACHINE_SEATS:
        kind, role = seat.removeprefix("program ").split(":")
        world.programs[seat] = world.machine if (kind, role) == ("aggregator", "filer") else machine(world.organizations[kind], role)
    client = MachineClient.objects.get(membership__user=world.programs["program edc:reviewer"])
    token_for(client.user)
    soon = timezone.now() + timedelta(days=1)
    return {
        "client": client,
        "credential": client.credentials.get(),
        "machine_token": client.tokens.get(),
        "assertion": UsedAssertion.objects.create(client=client, digest=digest_of("c"), expires_at=soon),
    }


def _support(world: World) -> dict[str, models.Model]:
    """The utility has let the operator's staff in, and they came."""
    user, now = world.user("edc", "administrator"), timezone.now()
    until = now + timedelta(days=1)
    grant = SupportGrant.objects.create(
        organization=world.edc, operator=world.operator, granted_by=user, granted_at=now, until=until, reason="Case 1"
    )
    act = SupportAct.objects.create(grant=grant, user=world.user("operator", "viewer"), reason="Changed a row")
    return {"support": grant, "act": act}


def _identity(world: World) -> dict[str, models.Model]:
    """What a utility's administrator has at hand, an aggregator that waits for admission, and sessions."""
    viewer, administrator = world.user("edc", "viewer"), world.user("edc", "administrator")
    newcomer = Organization.objects.create(kind="aggregator", name="New aggregator", slug="new-aggregator", is_active=False)
    provider = SignInProvider.objects.create(
        organization=world.edc, issuer="https://localhost", client_id="c", secret=sealed.seal(["s"], "sign-in provider"), role_map={}
    )
    for user in (viewer, user_of(world, OWN)):
        UserSession.objects.create(user=user, session_key=f"scene-{user.pk}", ip="127.0.0.1", user_agent="Browser")
    return {
        "invitation": Invitation.objects.create(
            organization=world.edc,
            email="asked@example.org",
            name="Asked",
            roles=["viewer"],
            digest="0" * 64,
            invited_by=administrator,
            expires_at=timezone.now() + timedelta(days=7),
        ),
        "promotion": AdministratorGrant.objects.create(organization=world.edc, member=viewer, proposed_by=administrator),
        "admission": Admission.objects.create(organization=newcomer, rerra=world.rerra, user=world.nobody, terms_version="1"),
        "sign_in_provider": provider,
        "sign_in_domain": SignInDomain.objects.create(provider=provider, domain="edc.example.com"),
        "failures": SignInFailures.objects.create(user=viewer, count=3),
    }
