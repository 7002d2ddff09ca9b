"""Exports of any list, as filtered and as of the moment shown: CSV streamed by COPY in bounded memory, XLSX at once or as a job.

A list view declares `export_columns` {header: lookup} and `export_name`; `CsvExport` and `XlsxExport` do the rest. Texts that a
spreadsheet program would compute are neutralised in both.
"""

from collections.abc import Iterable, Iterator
from tempfile import TemporaryFile

from celery import shared_task
from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.contrib.postgres.fields import ArrayField, RangeField
from django.core.files import File
from django.db.models import BooleanField, CharField, DateTimeField, F, Func, JSONField, TextField, UUIDField, Value
from django.db.models.functions import Cast
from django.http import FileResponse, Http404, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.generic import View

from moc import sheets
from moc.access import policy
from moc.accesslog.services import exported
from moc.bulk import copy_out
from moc.documents import services as documents
from moc.documents.models import Document
from moc.errors import UserError
from moc.jobs.services import Job, enqueue, running
from moc.notices.services import notify
from moc.portal.moments import misdated
from moc.portal.shell import url_of
from moc.portal.streaming import Tally, streamed

XLSX_AT_ONCE = 10_000
BLOCK = 1024 * 1024
RISKY = "=+-@\t\r"
NUMBER = r"^[+-]?([0-9]+[.,]?[0-9]*|[.,][0-9]+)([eE][+-]?[0-9]+)?$"


class Neutral(Func):
    """A text with an apostrophe before what a spreadsheet program would take for a formula; a true number stays (as moc.sheets)."""

    output_field = TextField()
    arity = 1

    def as_sql(self, compiler, connection, **extra):
        inner, params = compiler.compile(self.source_expressions[0])
        plain = f"""{inner} COLLATE "C" >= 'A' OR {inner} = ''"""  # most texts: one comparison of bytes
        risky = f"strpos(%s, left({inner}, 1)) > 0 AND {inner} !~ %s"
        sql = f"CASE WHEN {plain} THEN {inner} WHEN {risky} THEN '''' || {inner} ELSE {inner} END"
        return sql, (*params, *params, *params, RISKY, *params, *params, NUMBER, *params, *params)


class Joined(Func):
    """An array as text, by semicolons."""

    function, output_field = "array_to_string", TextField()

    def __init__(self, array):
        super().__init__(array, Value(";"))


def columns(model, lookups: Iterable, *, as_text: bool) -> list:
    """Expressions of the lookups as an export writes them; `as_text` for CSV, whose only type is text. Numbers may be expressions."""
    return [_expression(_field(model, each), F(each), as_text) if isinstance(each, str) else each for each in lookups]


def _field(model, lookup: str):
    """The field at the end of a lookup through foreign keys; of an end of a range, a field of what the range is of."""
    *path, last = lookup.split("__")
    for step in path:
        field = model._meta.get_field(step)
        if isinstance(field, RangeField):
            return field.base_field
        model = field.related_model
    return model._meta.get_field(last)


def _expression(field, value, as_text: bool):
    field = getattr(field, "target_field", field)
    if isinstance(field, ArrayField):
        joined = Joined(value)
        return joined if field.base_field.choices else Neutral(joined)
    if isinstance(field, JSONField):
        return Neutral(Cast(value, TextField()))
    if isinstance(field, (CharField, TextField)) and not field.choices:
        return Neutral(value)
    if isinstance(field, UUIDField) or (as_text and isinstance(field, (BooleanField, DateTimeField))):
        return Cast(value, TextField())
    return value


def csv_of(rows, chosen: dict[str, str], tally: Tally, order: Iterable[str] = ()) -> Iterator[bytes]:
    """Rows as CSV with a header (UTF-8 with its mark, for spreadsheet programs), in blocks, streamed by the database and counted."""
    yield (sheets.BOM + ",".join(chosen) + "\n").encode()
    block = bytearray()
    for line in tally.each(copy_out(rows.order_by(*order).values_list(*columns(rows.model, chosen.values(), as_text=True)))):
        block += line
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    if block:
        yield bytes(block)


def write_xlsx(out, rows, chosen: dict[str, str], title: str, progress=None) -> int:
    """Rows into a workbook in constant memory; returns how many. `progress(done)` is told now and then."""
    values = rows.values_list(*columns(rows.model, chosen.values(), as_text=False)).iterator(chunk_size=5_000)
    return sheets.write_xlsx(out, list(chosen), _reported(values, progress), title=title)


def _reported(values: Iterable, progress) -> Iterator:
    for done, row in enumerate(values):
        if progress and done % 1_000 == 0:
            progress(done)
        yield row


class Export(LoginRequiredMixin, View):
    """An export of `list_view`: the same filters in the URL, the same scope, for those who hold `export`."""

    list_view = None
    suffix = ""

    def listed(self):
        """The list view with this request's filters, user and moment."""
        if not policy.allows(self.request.user, "export"):
            raise Http404
        view = self.list_view()
        view.setup(self.request, **self.kwargs)
        if getattr(view, "undated", None):
            raise Http404("The past of these records is not kept.")
        if said := misdated(self.request.GET.get("as_of", "")):
            raise Http404(said)
        return view

    def name(self, view) -> str:
        return file_name(view, self.suffix)

    def tally(self, view) -> Tally:
        """What the access log says of it."""
        return Tally(str(view.title), self.suffix, getattr(view, "moment", None))


def file_name(view, suffix: str) -> str:
    moment = getattr(view, "moment", None)
    former = "former-" if getattr(view, "tenure", None) else ""
    stamp = f"as-of-{timezone.localtime(moment):%Y-%m-%dT%H%M}" if moment else f"{timezone.localtime():%Y-%m-%d}"
    return f"{view.export_name}-{former}{stamp}.{suffix}"


class CsvExport(Export):
    """The list as CSV, a million rows in bounded memory, under WSGI and ASGI."""

    suffix = "csv"

    def get(self, request, *args, **kwargs) -> StreamingHttpResponse:
        view = self.listed()
        tally = self.tally(view)
        headers = {"Content-Disposition": f'attachment; filename="{self.name(view)}"'}
        blocks = streamed(request, self.blocks(view, tally), tally)
        response = StreamingHttpResponse(blocks, content_type="text/csv; charset=utf-8", headers=headers)
        response.tally = tally
        return response

    def blocks(self, view, tally: Tally) -> Iterator[bytes]:
        """The rows of the list as CSV."""
        order = view.sort.ordering(backwards=False) if getattr(view, "exports_in_order", False) else ()
        return csv_of(view.selected("export"), view.export_columns, tally, order)


class XlsxExport(Export):
    """The list as a workbook: at once up to XLSX_AT_ONCE rows; longer ones are asked for (POST) and come to the inbox."""

    suffix = "xlsx"

    def get(self, request, *args, **kwargs):
        view = self.listed()
        return self.at_once(view) or self._offer(view)

    def at_once(self, view) -> FileResponse | None:
        """The workbook; None for a list that is too long to wait for."""
        rows = view.selected("export")
        if rows.order_by().values("pk")[: XLSX_AT_ONCE + 1].count() > XLSX_AT_ONCE:
            return None
        out = TemporaryFile()  # noqa: SIM115 - the response closes it
        tally = self.tally(view)
        tally.rows = write_xlsx(out, rows, view.export_columns, view.title)
        out.seek(0)
        response = FileResponse(out, as_attachment=True, filename=self.name(view))
        response.tally = tally
        return response

    def _offer(self, view):
        """The page that offers to have a long list written."""
        words = f"The list has more than {XLSX_AT_ONCE:,} rows. The workbook is written in the background and comes to your notifications."
        return render(self.request, "portal/form.html", {"title": f"{view.title} as a workbook", "lead": words, "submit_label": "Write it"})

    def post(self, request, *args, **kwargs):
        """Enqueue the workbook, and lead to the job's page; to the start with the reason when that is refused."""
        view = self.listed()
        try:
            job = enqueue_xlsx(actor=self.request.user, view=view)
        except UserError as refusal:
            messages.error(self.request, str(refusal))
            return HttpResponseRedirect("/")
        messages.info(self.request, "The workbook is being written and will be in your notifications.")
        return HttpResponseRedirect(url_of("job_detail", job.uuid) or "/")


def enqueue_xlsx(*, actor, view) -> Job:
    """Have a list written as a workbook in the background; the actor must hold `export` and belong to an organisation (else UserError)."""
    policy.require(actor, "export")
    if not policy.own_organizations(actor):
        raise UserError(
            "A long workbook is kept as a document of your organization, and you belong to none.", "Export it as CSV.", "NO_ORGANIZATION"
        )
    path = f"{type(view).__module__}.{type(view).__qualname__}"
    arguments = {"view": path, "query": view.request.GET.urlencode(), "kwargs": {name: str(value) for name, value in view.kwargs.items()}}
    return enqueue(actor=actor, task="moc.exports.deliver_xlsx", title=f"Export of {view.title} as XLSX", **arguments)


@shared_task(name="moc.exports.deliver_xlsx")
def deliver_xlsx(pk: int) -> None:
    """Write the workbook of an export job, keep it as a document of the user's organisation, and tell the user."""
    with running(pk) as (job, progress):
        if job is None:
            return
        view = import_string(job.arguments["view"]).for_user(job.actor, job.arguments["query"], **job.arguments["kwargs"])
        rows = view.selected("export")
        total = rows.order_by().count()
        if total >= sheets.XLSX_ROWS:
            raise UserError(
                f"A sheet holds {sheets.XLSX_ROWS - 1:,} rows, this list has {total:,}.", "Export it as CSV, or narrow the filters."
            )
        with TemporaryFile() as out:
            count = write_xlsx(out, rows, view.export_columns, view.title, lambda done: progress(done, total, "Writing"))
            out.seek(0)
            document = _keep(job, File(out, name=file_name(view, "xlsx")))
            filters = {**QueryDict(job.arguments["query"]).dict(), **job.arguments["kwargs"]}
            moment = getattr(view, "moment", None)
            exported(actor=job.actor, what=str(view.title), format="xlsx", rows=count, filters=filters, as_of=moment)
        job.total = count
        job.outcome = {"document": str(document.uuid), "rows": count, "url": url_of("document", document.uuid)}


def _keep(job: Job, upload: File) -> Document:
    owner = policy.own_organizations(job.actor)[0]
    document = documents.store(actor=job.actor, owner=owner, kind=Document.Kind.EXPORT, upload=upload)
    notify(
        [job.user],
        event="export_ready",
        subject=f"{job.title} is ready",
        body=f"{document.name} ({document.size:,} bytes) can be downloaded.",
        url=url_of("document", document.uuid),
    )
    return document
