"""Stored files by what is known of them, and the exports of every list of the workplace (large ones become stored files)."""

from django.apps import apps
from django.contrib import admin, messages
from django.contrib.admin.utils import display_for_field, label_for_field, lookup_field
from django.http import HttpRequest, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.text import capfirst, slugify

from moc import exports
from moc.access import policy
from moc.access.models import Organization
from moc.admin import RecordAdmin
from moc.admin.filters import ScopedFilter
from moc.documents.models import Document, Letter
from moc.pdf import render_pdf
from moc.portal.streaming import Tally

PDF_ROWS = 500


@admin.register(Document)
class DocumentAdmin(RecordAdmin):
    hidden = ("file",)
    list_display = ("name", "kind", "version", "owner", "counterparty", "size", "created_at", "superseded_at")
    list_filter = ("kind", ("owner", ScopedFilter))
    list_select_related = ("owner", "counterparty")
    search_fields = ("=uuid", "=sha256")
    search_help_text = "The document's id, or the SHA-256 of the file"


@admin.register(Letter)
class LetterAdmin(RecordAdmin):
    list_display = ("kind", "code", "issuer", "recipient", "printed_by", "printed_at")
    list_filter = (("issuer", ScopedFilter),)
    list_select_related = ("issuer", "recipient", "printed_by")
    search_fields = ("=code",)


class RecordList:
    """A list of the workplace as moc.exports sees a list view: its rows by scope and filters, or a selection of them."""

    def __init__(self, one: RecordAdmin, request: HttpRequest, selection=None):
        self.one, self.request, self.selection = one, request, selection
        self.kwargs = {"model": one.opts.label}
        self.title = str(capfirst(one.opts.verbose_name_plural))
        self.export_name = slugify(self.title)
        self.moment = one.moment(request)

    @classmethod
    def for_user(cls, user, query: str, model: str) -> "RecordList":
        """The list as a job sees it."""
        request = HttpRequest()
        request.user, request.GET = user, QueryDict(query)
        return cls(admin.site.get_model_admin(apps.get_model(model)), request)

    @property
    def export_columns(self) -> dict[str, str]:
        """Every shown field; parties by name, other records by their key."""
        fields = [field for field in self.one.opts.concrete_fields if field.name not in self.one.hidden]
        return {field.name: f"{field.name}__name" if field.related_model is Organization else field.name for field in fields}

    def selected(self, permission: str):
        """The rows, of those for which the user holds `permission` too."""
        rows = self.selection
        if rows is None:
            rows = self.one.get_changelist_instance(self.request).get_queryset(self.request)
        return policy.scope(rows, self.request.user, permission) if permission != self.one.view_permission else rows


class RecordCsv(exports.CsvExport):
    """The CSV of a list of the workplace."""

    chosen: RecordList

    def listed(self) -> RecordList:
        return self.chosen


class RecordXlsx(exports.XlsxExport):
    """The workbook of a list of the workplace; a long one is written by a job from the list's filters."""

    chosen: RecordList

    def listed(self) -> RecordList:
        return self.chosen

    def get(self, request, *args, **kwargs):
        """An action is a POST already: nobody is asked again."""
        return self.at_once(self.chosen) or self.post(request)


def _respond(kind, one: RecordAdmin, request, queryset):
    view = kind()
    view.setup(request)
    view.chosen = RecordList(one, request, queryset)
    return view.get(request)


@admin.action(description="Export as CSV", permissions=["export"])
def export_csv(one: RecordAdmin, request, queryset):
    """The selected rows as CSV, streamed."""
    return _respond(RecordCsv, one, request, queryset)


@admin.action(description="Export as XLSX", permissions=["export"])
def export_xlsx(one: RecordAdmin, request, queryset):
    """The selected rows as a workbook."""
    return _respond(RecordXlsx, one, request, queryset)


@admin.action(description="Export as PDF", permissions=["export"])
def export_pdf(one: RecordAdmin, request, queryset):
    """The selected rows with the list's columns on paper; no more than a reader turns over."""
    rows = list(policy.scope(queryset, request.user, "export")[: PDF_ROWS + 1])
    if len(rows) > PDF_ROWS:
        messages.error(request, f"A PDF holds at most {PDF_ROWS} rows. Narrow the filters, or export as CSV or XLSX.")
        return HttpResponseRedirect(request.get_full_path())
    chosen = RecordList(one, request)
    context = {
        "title": chosen.title,
        "as_of": chosen.moment,
        "headings": [label_for_field(name, one.model, one) for name in one.list_display],
        "rows": [[_cell(name, row, one) for name in one.list_display] for row in rows],
        "moment": timezone.now(),
        "user": request.user,
    }
    response = render_pdf(request, "documents/records.html", context, exports.file_name(chosen, "pdf"))
    response.tally = Tally(chosen.title, "pdf", chosen.moment, rows=len(rows))
    return response


def _cell(name: str, row, one: RecordAdmin):
    """A value as the list shows it."""
    field, _, value = lookup_field(name, row, one)
    return value if field is None or field.is_relation else display_for_field(value, field, "–")


for action in (export_csv, export_xlsx, export_pdf):
    admin.site.add_action(action)
