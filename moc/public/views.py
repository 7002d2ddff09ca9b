"""Public pages: for everybody, without sign-in."""

from django.http import Http404, StreamingHttpResponse
from django.views.generic import TemplateView, View

from moc import sheets
from moc.public import reports


class PublicPage(TemplateView):
    """A page for everybody; `title` heads it."""

    title = ""

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"title": self.title} | kwargs)


class Dashboard(PublicPage):
    """The state in figures, with the map of a technology (?technology=)."""

    title, template_name = "The state in figures", "public/dashboard.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**reports.dashboard(self.request.GET.get("technology", "")) | kwargs)


class Aggregators(PublicPage):
    """Registered aggregators and their services."""

    title, template_name = "Registered aggregators", "public/aggregators.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"participants": reports.participants()} | kwargs)


class Rules(PublicPage):
    """The law in force with its sources."""

    title, template_name = "Rules in force", "public/rules.html"

    def get_context_data(self, **kwargs) -> dict:
        return super().get_context_data(**{"rules": reports.rules()} | kwargs)


class OpenData(PublicPage):
    """The files of open data, and what is in them."""

    title, template_name = "Open data", "public/data.html"

    def get_context_data(self, **kwargs) -> dict:
        files = ("figures", "aggregators", "rules", "dictionary")
        return super().get_context_data(**{"files": files, "dictionary": reports.DICTIONARY} | kwargs)


class OpenFile(View):
    """One file of open data as CSV."""

    def get(self, request, name: str) -> StreamingHttpResponse:
        rows = reports.file_of(name)
        if rows is None:
            raise Http404
        headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
        return StreamingHttpResponse(list(sheets.csv_rows(rows)), content_type="text/csv; charset=utf-8", headers=headers)
