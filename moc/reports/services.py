"""Define reports, run them in the background, on request or on a schedule, and deliver what came of it."""

from datetime import datetime, time, timedelta
from tempfile import TemporaryFile

from django.conf import settings
from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.text import slugify

from moc import sight
from moc.access import policy
from moc.access.models import Organization
from moc.accesslog.services import exported
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import Conflict, UserError
from moc.history import acting
from moc.jobs import services as jobs
from moc.notices.services import notify, worded
from moc.portal.moments import moment_of
from moc.reports import files, reports, specs
from moc.reports.datasets import Dataset, Ready, source_of
from moc.reports.models import PERMISSION, Format, ReportDefinition, ReportRun
from moc.seals.models import Seal
from moc.webhooks.services import publish

TASK, EVENT, HOUR = "moc.reports.tasks.write", "report_ready", 6
Way, Every = ReportDefinition.Way, ReportDefinition.Every


def checked(source: str, data: dict) -> dict:
    """A definition as it is kept. Raises UserError for one that its dataset cannot answer."""
    found = source_of(source)
    if isinstance(found, Dataset):
        return specs.read(data, found).data()
    given = data.get("parameters") or {}
    reports.parameters(found, given)
    return {"parameters": {each.name: str(given[each.name]) for each in found.parameters if given.get(each.name) not in (None, "")}}


def define(*, actor, organization: Organization, source: str, spec: dict, **facts) -> ReportDefinition:
    """Save a report for an organisation of the actor's. `facts`: name, about, is_shared, format, every, ways."""
    policy.require(actor, PERMISSION, organization)
    spec = checked(source, spec)
    with acting(actor, f"report {facts['name']} made"):
        when = {"next_at": following(facts.get("every", ""))}
        return ReportDefinition.objects.create(user=actor, organization=organization, source=source, spec=spec, **facts, **when)


def change(*, actor, definition: ReportDefinition, spec: dict, **facts) -> None:
    """Change a report; only its author changes what is not shared, and one in use. Raises Conflict for a retired one."""
    require(actor, definition)
    if definition.status != ReportDefinition.Status.ACTIVE:
        raise Conflict("The report is retired.", "Restore it first.")
    spec = checked(definition.source, spec)
    with acting(actor, f"report {definition} changed"):
        every = facts.get("every", definition.every)
        rows = ReportDefinition.objects.filter(pk=definition.pk)
        rows.update(spec=spec, **facts, next_at=definition.next_at if every == definition.every else following(every))


def require(actor, definition: ReportDefinition) -> None:
    """Refuse whoever may not change or run it: its author in the organisation, or for a shared one everybody there who may run reports."""
    policy.require(actor, PERMISSION, definition.organization)
    if not definition.is_shared and actor.pk != definition.user_id:
        raise policy.NotPermitted("The report is its author's own.")


def move(*, actor, definition: ReportDefinition, name: str, reason: str = "") -> None:
    """Retire or restore a report; a retired one does not run, and its runs stay."""
    require(actor, definition)
    next_at = following(definition.every) if name == "restore" else None
    rows = ReportDefinition.objects.filter(pk=definition.pk)
    ReportDefinition.lifecycle.move(rows, name, actor=actor, reason=reason, next_at=next_at)


def following(every: str, now: datetime | None = None) -> datetime | None:
    """The next moment of a schedule after `now`: at six in the morning of the state; None without a schedule."""
    if not every:
        return None
    today = timezone.localdate(now or timezone.now())
    day = {
        Every.DAY: today + timedelta(days=1),
        Every.WEEK: today + timedelta(days=7 - today.weekday()),
        Every.MONTH: (today.replace(day=1) + timedelta(days=32)).replace(day=1),
    }[every]
    return timezone.make_aware(datetime.combine(day, time(HOUR)))


def run(*, actor, definition: ReportDefinition, format: str = "", scheduled: bool = False) -> ReportRun:
    """Have a saved report written in the background. Raises Conflict for a retired one."""
    require(actor, definition)
    if definition.status != ReportDefinition.Status.ACTIVE:
        raise Conflict("The report is retired.", "Restore it first.")
    facts = {name: getattr(definition, name) for name in ("organization", "source", "spec", "is_shared")}
    return _enqueue(actor, title=definition.name, definition=definition, format=format or definition.format, scheduled=scheduled, **facts)


def run_ready(*, actor, organization: Organization, source: str, parameters: dict, format: str) -> ReportRun:
    """Have a ready-made report written in the background for an organisation of the actor's."""
    policy.require(actor, PERMISSION, organization)
    found = source_of(source)
    if not isinstance(found, Ready):
        raise UserError(f"“{found.title}” is a dataset.", "Build a report on it first.", "REPORT-UNKNOWN")
    spec = checked(source, {"parameters": parameters})
    return _enqueue(actor, title=found.title, source=source, spec=spec, organization=organization, format=format)


@transaction.atomic
def _enqueue(actor, **facts) -> ReportRun:
    if facts["format"] not in Format.values:
        raise UserError(f"There is no format “{facts['format']}”.", f"Choose from {', '.join(Format.values)}.", "REPORT-FORMAT")
    with acting(actor, f"report {facts['title']} run"):
        made = ReportRun.objects.create(user=actor, **facts)
        made.job = jobs.enqueue(actor=actor, task=TASK, title=f"Report: {made.title}", run=made.pk)
        made.save(update_fields=["job"])
    return made


def preview(*, user, organization: Organization, source: str, spec: dict, rows: int):
    """The first rows of a report as it stands, on real data, and its chart."""
    policy.require(user, PERMISSION, organization)
    eyes = policy.within(user, organization)
    with sight.seeing(policy.sight_of(eyes)):
        result = reports.compute(eyes, source, spec, limit=rows)
        result.rows = [row for row, _ in zip(result.rows, range(rows))]
    return result


def write(made: ReportRun, actor, progress) -> dict:
    """Compute and write a run under the sight that its actor has by its organisation; keep the file, and deliver it.

    Returns the job's outcome. The file is the organisation's: so nothing that the actor sees by another one is in it.
    """
    policy.require(actor, PERMISSION, made.organization)
    eyes = policy.within(actor, made.organization)
    progress(0, None, "Asking the database")
    with sight.engine():
        seal = Seal.objects.defer("statement").first()
    with TemporaryFile() as out:
        read_at = timezone.now()
        with sight.seeing(policy.sight_of(eyes)):
            result = reports.compute(eyes, made.source, made.spec)
            about = describe(made, read_at, seal)
            count = files.write(out, result, made.format, about, lambda rows: progress(rows, None, "Writing rows"))
        out.seek(0)
        name = f"{slugify(made.title)[:80] or 'report'}-{timezone.localtime(read_at):%Y-%m-%d-%H%M}.{made.format}"
        with acting(actor, f"Wrote {name}"):
            document = documents.store(actor=actor, owner=made.organization, kind=Document.Kind.EXPORT, upload=File(out, name=name))
            ReportRun.objects.filter(pk=made.pk).update(document=document, row_count=count, read_at=read_at, seal=seal)
            said = {"what": f"Report: {made.title}", "format": made.format, "rows": count, "filters": made.spec}
            exported(actor=actor, organization=made.organization, as_of=moment_of(as_of(made.spec)), **said)
            deliver(made, document, count)
    return {"document": str(document.uuid), "rows": count, "url": f"/documents/{document.uuid}/"}


def describe(made: ReportRun, read_at: datetime, seal: Seal | None) -> dict:
    """What a file says of itself: what was asked by whom, as of when, and the seal that stands before it."""
    found = source_of(made.source)
    words = wording(found, made.spec)
    return {
        "title": made.title,
        "source": found.title,
        "cites": getattr(found, "cites", ""),
        "organization": str(made.organization),
        "user": str(made.user),
        "parameters": words,
        "read_at": read_at,
        "as_of": as_of(made.spec),
        "moment": read_at.isoformat(),
        "seal": f"Seal {seal.number} of {timezone.localtime(seal.sealed_at):%Y-%m-%d %H:%M}, SHA-256 {seal.digest}" if seal else "",
        "run": str(made.uuid),
        "moc_title": settings.MOC_TITLE,
        "site_notice": settings.MOC_SITE_NOTICE,
    }


def as_of(data: dict) -> str:
    """The past day that a definition asks for, of a dataset or a ready-made report; nothing for the present."""
    return data.get("as_of") or data.get("parameters", {}).get("as_of") or ""


def wording(found: Dataset | Ready, data: dict) -> list[tuple[str, str]]:
    """A definition in words: [(what, which)]."""
    if isinstance(found, Ready):
        if found.spec is not None:
            asked = found.asked(reports.parameters(found, data.get("parameters") or {}))
            return wording(source_of(found.dataset), asked)
        return [
            (each.label, str(value))
            for each, value in zip(found.parameters, reports.parameters(found, data.get("parameters") or {}).values())
        ]
    spec = specs.read(data, found)
    rows = [("Columns", ", ".join(found.item(name).label for name in spec.columns))]
    rows += [(found.item(each.item).label, f"{specs.TESTS[each.test][0]} {each.value}".strip()) for each in spec.filters]
    rows += [("Grouped by", ", ".join(f"{found.item(each.item).label} {each.period}".strip() for each in spec.group))]
    rows += [
        ("Measures", ", ".join(reports.measure_head(found, each).label for each in spec.measures)),
        ("As of", spec.as_of),
        ("Valid on", spec.valid_on),
    ]
    return [(what, which) for what, which in rows if which]


def deliver(made: ReportRun, document: Document, count: int) -> None:
    """Tell who asked; what is on a schedule goes the ways that its definition says, to everybody in the organisation if it is shared."""
    ways = made.definition.ways if made.scheduled else [Way.INBOX]
    url = f"/reports/runs/{made.uuid}/"
    context = {"run": made, "document": document, "count": count, "organization": made.organization}
    body = worded(f"{EVENT}.txt", context)
    said = {"subject": f"Report ready: {made.title}", "body": body, "url": url}
    everybody = made.scheduled and made.is_shared
    people = policy.holders(PERMISSION, made.organization) if everybody else [made.user]
    if {Way.INBOX, Way.EMAIL} & set(ways):
        notify(people, event=EVENT, **said, default=(Way.INBOX in ways, Way.EMAIL in ways))
    if Way.WEBHOOK in ways and made.is_shared:
        publish(organization=made.organization, kind=EVENT, **said)


def run_due(now: datetime | None = None) -> int:
    """The beat's part: run what is due, with its author's present rights; without them the schedule ends. Returns how many run."""
    now, count = now or timezone.now(), 0
    due = ReportDefinition.objects.filter(next_at__lte=now, status=ReportDefinition.Status.ACTIVE)
    for pk in due.order_by("next_at").values_list("pk", flat=True):
        with acting(None, "system: reports on a schedule"):
            locked = ReportDefinition.objects.select_for_update(of=("self",), skip_locked=True).filter(pk=pk, next_at__lte=now)
            definition = locked.select_related("user", "organization").first()
            if definition is None:
                continue
            mine = ReportDefinition.objects.filter(pk=pk)
            if not policy.allows(definition.user, PERMISSION, definition.organization):
                mine.update(every="", next_at=None)
                continue
            mine.update(next_at=following(definition.every, now))
            run(actor=definition.user, definition=definition, scheduled=True)
            count += 1
    return count
