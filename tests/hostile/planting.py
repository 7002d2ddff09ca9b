"""What an attacker would leave in every text that the database holds: markup, a formula, and a mark that tells whose text it is.

Nothing here knows a column: a new model or field is planted by being there.
"""

from collections.abc import Iterator
from uuid import uuid4

from django.contrib.auth import SESSION_KEY
from django.contrib.postgres.fields import ArrayField
from django.db import DatabaseError, models, transaction
from django.db.models import CharField, Model, Q, SlugField, TextField, Value
from django.db.models.functions import Cast, Concat

from moc.access.models import Organization, User
from moc.access.policy import paths_of
from moc.accounts.factors import PROVED
from moc.apps import own_models
from moc.history import acting
from tests.contracts.scene import SIGNED_IN, Scene
from tests.factories.world import REASON

MARK = "hit()"  # stands in texts of the first organisations only
PAYLOAD = f"='\"></script><img src=x onerror={MARK}>"
KNOWN = PAYLOAD.replace(MARK, "pub()")  # for what other parties may read too
SHORT = "=<x1>"
WORKINGS = {
    "Job.task",
    "Document.sha256",
    "ApiToken.digest",
    "MachineCredential.algorithm",
    "SignInProvider.issuer",  # an address that was fetched
    "User.password",
    "Webhook.address",  # an address that is called
    "DataKey.master",  # names a key of the environment
    "Submission.attestation_sha256",
    "Finding.code",
    "Reconfiguration.usage_points",  # keys of service points; none where a feeder moves
    "RosterFinding.code",
    "GridFinding.code",
    "NetworkFinding.code",
    "ReviewRule.field",  # a column of a filing
    "ReviewRule.codes",
    *(f"Seal.{column}" for column in ("digest", "key", "signature", "statement")),
    "SealedTable.root",
    *(f"Archive.{column}" for column in ("table", "sha256", "statement", "signature", "key")),
    *(f"Destruction.{column}" for column in ("statement", "signature", "key")),
    "AgreementSignature.version",  # with its text, a version of the rule set that was signed
    "AgreementSignature.text",
    "AgreementSignature.text_sha256",
}
TOLD_APART = {"StagedDer.external_id"}  # by a rule, not by a constraint: rows of equal names never reach a review
OPEN_TO_OTHERS = (Organization,)  # names of parties are known to the others
PUBLISHED = {"AggregatorRegistration.website"}


def plant(scene: Scene) -> tuple[set[str], set[str]]:
    """(columns planted, columns whose constraints refused it), as "Model.field"."""
    planted, refused = set(), set()
    for model in own_models():
        for field in _texts(model):
            name = f"{model.__name__}.{field.name}"
            with acting(None, REASON):
                (planted if _plant(scene, model, field) else refused).add(name)
    return planted, refused


def keep_signed_in(scene: Scene) -> None:
    """Sessions that go on although planted addresses of people are no demonstration logins, which need no second factor."""
    for actor in SIGNED_IN:
        client = scene.clients[actor]
        session = client.session
        session[PROVED] = int(session[SESSION_KEY])
        session.save()
        assert client.get("/registry/ders/").status_code == 200, actor


def _texts(model: type[Model]) -> Iterator[models.Field]:
    """The columns that hold free text."""
    for field in model._meta.concrete_fields:
        held = field.base_field if isinstance(field, ArrayField) else field
        free = isinstance(held, (CharField, TextField)) and not held.choices and not isinstance(held, SlugField)
        if free and not (field.primary_key or field.is_relation) and f"{model.__name__}.{field.name}" not in WORKINGS:
            yield field


def _plant(scene: Scene, model: type[Model], field: models.Field) -> bool:
    rows = model._base_manager.order_by()
    theirs = _of_the_second(scene, model)
    done = []
    for payload, part in ((PAYLOAD, rows.exclude(pk__in=theirs)), (KNOWN, rows.filter(pk__in=theirs))):
        known = model in OPEN_TO_OTHERS or "PUBLIC" in paths_of(model) or f"{model.__name__}.{field.name}" in PUBLISHED
        text = KNOWN if known else payload
        done.append(any(_wrote(part, field, value) for value in _values(field, text)) or _added(part, field, text))
    return all(done)


def _wrote(rows: models.QuerySet, field: models.Field, value) -> bool:
    """Whether the database takes the value."""
    try:
        with transaction.atomic():
            rows.update(**{field.attname: value})
    except DatabaseError:
        return False
    return True


def _added(rows: models.QuerySet, field: models.Field, text: str) -> bool:
    """Whether the database takes the text in a new row like an old one, where rows are sealed."""
    row = rows.first()
    if row is not None:
        row.pk = None
        for each in row._meta.concrete_fields:
            if isinstance(each, models.UUIDField) and each.unique:
                setattr(row, each.attname, uuid4())
            elif each.name == "text_sha256":  # what was signed is signed once
                setattr(row, each.attname, "another text")
        setattr(row, field.attname, [text] if isinstance(field, ArrayField) else text)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except DatabaseError:
            return False
    return True


def _values(field: models.Field, text: str) -> Iterator:
    """The text as the column may hold it: in a list, shortened to fit, told apart where the column is unique."""
    if isinstance(field, ArrayField):
        yield [text[: field.base_field.max_length or None]]
        return
    if f"{field.model.__name__}.{field.name}" not in TOLD_APART:
        yield from (each for each in (text, SHORT) if len(each) <= (field.max_length or len(each)))
    yield from (Concat(Value(each), Cast("pk", TextField())) for each in (text, SHORT))


def _of_the_second(scene: Scene, model: type[Model]) -> list:
    """Keys of the rows of the second organisations and of their people, by the model's foreign keys."""
    seconds = [party.pk for key, party in scene.world.organizations.items() if key.endswith("2")]
    firsts = User.objects.filter(memberships__isnull=False).exclude(memberships__organization__in=seconds)
    people = list(User.objects.exclude(pk__in=firsts).values_list("pk", flat=True))
    condition = Q(pk__in=people) if model is User else Q()
    for path in paths_of(model):
        if path == "SELF":
            condition |= Q(pk__in=people) if model is User else Q(user__in=people)
        elif path not in {"PUBLIC", "OPERATOR"}:
            condition |= Q(**{f"{path}__in": seconds})
    return list(model._base_manager.filter(condition).values_list("pk", flat=True)) if condition else []
