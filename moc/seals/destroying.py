"""Destroy files of archived rows that are kept no longer: by the word of two people, never while a dispute holds them, with a record.

History is never moved into files, so it is never destroyed; nor is what stands online.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import ForeignKey, Model, Q, QuerySet
from django.utils import timezone
from psycopg import sql

from moc import sight
from moc.access import policy
from moc.access.classes import class_of
from moc.access.models import Organization
from moc.apps import discover
from moc.bulk import fetch_sql
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.rulesets.kinds import NONE
from moc.rulesets.models import RuleSet
from moc.seals import archives
from moc.seals.gone import FORMAT
from moc.seals.models import Archive, Destruction

PERMISSION = "administer"
YEAR = timedelta(days=365.25)
_HOLDS: list[Callable[[], set[int]]] = []


def hold(function: Callable[[], set[int]]) -> Callable:
    """Declare, in a slice's `datasets.py`, whose rows must stay: a function that gives ids of organisations."""
    _HOLDS.append(function)
    return function


def held_parties() -> set[int]:
    """The organisations whose rows must stay, whatever their age."""
    discover("datasets")
    return set().union(*(each() for each in _HOLDS))


def law_of(archive: Archive) -> RuleSet | None:
    """The row of the law that says how many years rows of the archive's class are kept: the longest of all authorities; None: for ever."""
    key = f"kept_years_{class_of(archives.model_of(archive))}"
    rows = list(RuleSet.objects.on(timezone.localdate()).filter(key=key))
    return None if not rows or any(row.value == NONE for row in rows) else max(rows, key=lambda row: row.value)


def ended(archive: Archive, now: datetime | None = None) -> RuleSet | None:
    """The row of the law by which the archive is kept no longer; None while it is kept."""
    law = law_of(archive)
    return law if law is not None and archive.ends_at + float(law.value) * YEAR <= (now or timezone.now()) else None


@transaction.atomic
def propose(*, actor, archive: Archive, reason: str) -> Destruction:
    """Propose that an archive's file be destroyed. Raises UserError for one that is still kept, or proposed already."""
    policy.require(actor, PERMISSION)
    law = ended(archive)
    if law is None:
        raise UserError(f"{archive} is still kept.", "The rule sets kept_years_… say how long.", "DESTRUCTION-KEPT")
    if archive.destructions.exclude(status=Destruction.Status.WITHDRAWN).exists():
        raise Conflict(f"The destruction of {archive} is proposed already.", "Look at that proposal.")
    with acting(actor, reason):
        return Destruction.objects.create(archive=archive, law=law, reason=reason, proposed_by=actor)


@transaction.atomic
def move(*, actor, rows, name: str, reason: str = "") -> None:
    """Confirm (another person than who proposed) or withdraw. Raises UserError otherwise."""
    policy.require(actor, PERMISSION)
    values = {}
    if name == "confirm":
        if rows.filter(proposed_by=actor).exists():
            raise UserError("You proposed it yourself.", "Another person confirms a destruction.", "FOUR_EYES")
        values = {"confirmed_by": actor}
    Destruction.lifecycle.move(rows, name, actor=actor, reason=reason, **values)


@sight.engine()
def carry_out() -> int:
    """Destroy what is confirmed, and what a former run left of it; returns how many files went. Idempotent."""
    for one in Destruction.objects.filter(status=Destruction.Status.CONFIRMED).select_related("archive", "law"):
        _state(one)
    count = 0
    for one in Destruction.objects.filter(status=Destruction.Status.DESTROYED).select_related("archive"):
        if default_storage.exists(one.archive.path):
            default_storage.delete(one.archive.path)
            count += 1
    return count


def _state(one: Destruction) -> None:
    """Say which rows go, signed; nothing where the file is not whole, is kept again, or is held by a dispute."""
    archive = one.archive
    if archives.wrong_with(archive) or ended(archive) is None:
        return
    model = archives.model_of(archive)
    with transaction.atomic():
        table, count = archives.read_back(model, [archive])
        if _is_held(model, table):
            return
        now = timezone.now()
        said = {
            "format": FORMAT,
            "archive": str(archive.uuid),
            "table": archive.table,
            "sha256": archive.sha256,
            "rows": count,
            "keys": [list(pair) for pair in fetch_sql("keys_of", table=sql.Identifier(table), key=sql.Identifier(model._meta.pk.column))],
            "law": str(one.law),
            "destroyed_at": now.isoformat(),
        }
        rows = Destruction.objects.filter(pk=one.pk)
        Destruction.lifecycle.move(rows, "destroy", actor=None, reason="system: destruction", destroyed_at=now, **archives.signed(said))


def _is_held(model: type[Model], table: str) -> bool:
    """Whether a row is about a party whose rows must stay."""
    held, keys = sorted(held_parties()), (field for field in model._meta.concrete_fields if isinstance(field, ForeignKey))
    parties = [sql.Identifier(field.column) for field in keys if field.related_model is Organization]
    return bool(held) and any(fetch_sql("is_held", {"held": held}, table=sql.Identifier(table), party=party)[0][0] for party in parties)


def waiting() -> QuerySet[Archive]:
    """The archives whose files may be proposed for destruction."""
    due, now = Q(pk__in=[]), timezone.now()
    for archive in Archive.objects.order_by("table", "ends_at").distinct("table"):
        if (law := law_of(archive)) is not None:
            due |= Q(table=archive.table, ends_at__lte=now - float(law.value) * YEAR)
    open_ones = Destruction.objects.exclude(status=Destruction.Status.WITHDRAWN).values("archive")
    return Archive.objects.filter(due).exclude(pk__in=open_ones).order_by("ends_at", "table")
