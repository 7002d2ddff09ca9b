"""Move what is no longer kept online into files: a month of a table at a time, once every row of it is sealed."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max, Min, Model
from django.utils import timezone

from moc import sight
from moc.access import policy
from moc.access.classes import class_of
from moc.bulk import fetch_sql
from moc.jobs import services as jobs
from moc.jobs.models import Job
from moc.rulesets.kinds import NONE
from moc.rulesets.models import RuleSet
from moc.seals import archives, destroying
from moc.seals.models import Archive, Seal

TASK = "moc.seals.tasks.archive_now"


def online_days(model: type[Model], day) -> RuleSet | None:
    """The row of the law that says how many days rows of a table's class stay online: the longest of all authorities; None: for ever."""
    rows = list(RuleSet.objects.on(day).filter(key=f"online_days_{class_of(model)}"))
    return None if not rows or any(row.value == NONE for row in rows) else max(rows, key=lambda row: row.value)


def due(now: datetime | None = None) -> Iterator[tuple[type[Model], datetime, datetime]]:
    """The months (UTC) to move: (model, first moment, moment after the last), the oldest of each table first."""
    now = now or timezone.now()
    for model in archives.movable().values():
        law = online_days(model, timezone.localdate(now))
        if law is None:
            continue
        end, start = _month(now - timedelta(days=int(law.value)))[0], datetime.min.replace(tzinfo=UTC)
        while first := _first(model, start, end):
            yield model, *_month(first)
            start = _month(first)[1]


def _first(model: type[Model], start: datetime, end: datetime) -> datetime | None:
    """The first moment of a table's rows in a period."""
    period = {f"{model.archived_by}__gte": start, f"{model.archived_by}__lt": end}
    return model._base_manager.filter(**period).aggregate(first=Min(model.archived_by))["first"]


def _month(moment: datetime) -> tuple[datetime, datetime]:
    first = moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first, (first + timedelta(days=32)).replace(day=1)


@sight.engine()
def archive(*, actor=None, now: datetime | None = None, progress=None) -> list[Archive]:
    """Move every month that is due; each is a transaction of its own. What is not sealed to the last row waits. Returns what was made.

    Then files whose destruction was confirmed are destroyed."""
    policy.require(actor, "administer")
    made = []
    for model, starts_at, ends_at in due(now):
        if progress:
            progress(len(made), None, f"Archiving {model._meta.db_table} of {starts_at:%Y-%m}")
        if (one := _move(model, starts_at, ends_at)) is not None:
            made.append(one)
    destroying.carry_out()
    return made


def _move(model: type[Model], starts_at: datetime, ends_at: datetime) -> Archive | None:
    month = {f"{model.archived_by}__gte": starts_at, f"{model.archived_by}__lt": ends_at}
    seal, made = Seal.objects.first(), None
    try:
        with transaction.atomic():
            last = model._base_manager.filter(**month).aggregate(last=Max("transaction_id"))["last"]
            if seal is None or last is None or last >= seal.before:
                return None
            made = archives.written(model, starts_at, ends_at, seal)
            made.save(force_insert=True)
            _let_go(made)
    except BaseException:
        if made is not None:
            default_storage.delete(made.path)
        raise
    return made


def _let_go(made: Archive) -> None:
    fetch_sql("let_go", {"archive": made.pk})


def ask(*, actor) -> Job:
    """Have what is due archived now."""
    policy.require(actor, "administer")
    return jobs.enqueue(actor=actor, task=TASK, title="Archive what is no longer kept online")
