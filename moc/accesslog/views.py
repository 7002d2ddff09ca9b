"""The access log in the portal: for the parties that an entry concerns, and their regulator."""

import django_filters
from django.http import Http404
from django.urls import reverse

from moc.access import policy
from moc.accesslog.models import AccessEntry, ExportEntry
from moc.portal import Column, List, ScopedFilterSet, Table


class AccessFilterSet(ScopedFilterSet):
    """By purpose and by day."""

    purpose = django_filters.ChoiceFilter(choices=AccessEntry.Purpose.choices, label="What for")
    since = django_filters.DateFilter(field_name="at", lookup_expr="date__gte", label="Since")
    until = django_filters.DateFilter(field_name="at", lookup_expr="date__lte", label="Until")


class Audited(List):
    """A list for those who may audit."""

    permission = "audit"

    def setup(self, request, *args, **kwargs) -> None:
        super().setup(request, *args, **kwargs)
        if request.user.is_authenticated and not policy.allows(request.user, self.permission):
            raise Http404

    def selected(self, permission: str = ""):
        """What is exported is no more than what is listed: to hold `export` is not enough."""
        return super().selected(self.permission)


class AccessList(Audited):
    """Who looked at personal data within the user's reach, newest first."""

    model = AccessEntry
    title = "Access log"
    noun = "looks"
    filterset_class = AccessFilterSet
    counts_filtered = True
    exports = (("CSV", "access_log_csv"),)
    export_name = "access-log"
    export_columns = {
        "at": "at",
        "who": "actor__email",
        "whose_customers": "holder__name",
        "filed_by": "filed_by__name",
        "record": "record",
        "person": "subject",
        "columns": "columns",
        "purpose": "purpose",
        "note": "note",
    }
    table = Table(
        caption="Looks at personal data",
        empty_title="Nobody looked",
        columns=(
            Column("at", "When"),
            Column("actor__email", "Who"),
            Column("holder__name", "Whose customer"),
            Column("filed_by__name", "Filed by"),
            Column("record", "Record"),
            Column("subject", "Person", kind="code"),
            Column("columns", "Shown"),
            Column("purpose", "What for", choices=AccessEntry.Purpose),
            Column("note", "Note"),
        ),
    )

    def actions(self) -> list[tuple[str, str, bool]]:
        return [("Exports", reverse("access_log_exports"), False)]


class ExportFilterSet(ScopedFilterSet):
    """By kind of file and by day."""

    what = django_filters.CharFilter(lookup_expr="icontains", label="What")
    since = django_filters.DateFilter(field_name="at", lookup_expr="date__gte", label="Since")
    until = django_filters.DateFilter(field_name="at", lookup_expr="date__lte", label="Until")


def _filters(row: dict) -> str:
    return ", ".join(f"{name}: {value}" for name, value in row["filters"].items())


class ExportList(Audited):
    """What members of the user's organizations exported, and what of theirs others did, newest first."""

    model = ExportEntry
    title = "Exports"
    noun = "exports"
    parents = (("Access log", "access_log"),)
    filterset_class = ExportFilterSet
    counts_filtered = True
    exports = (("CSV", "access_log_exports_csv"),)
    export_name = "exports"
    export_columns = {
        "at": "at",
        "who": "actor__email",
        "organization": "organization__name",
        "whose_file": "holder__name",
        "what": "what",
        "format": "format",
        "filters": "filters",
        "as_recorded_at": "as_of",
        "rows": "row_count",
        "complete": "complete",
        "address": "address",
    }
    table = Table(
        caption="Exports",
        empty_title="Nothing was exported",
        columns=(
            Column("at", "When"),
            Column("actor__email", "Who"),
            Column("organization__name", "For"),
            Column("holder__name", "Whose file"),
            Column("what", "What"),
            Column("format", "As", kind="code"),
            Column("filters", "Filters", value=_filters, needs=("filters",)),
            Column("as_of", "As recorded at"),
            Column("row_count", "Rows", numeric=True),
            Column("complete", "To its end"),
        ),
    )
