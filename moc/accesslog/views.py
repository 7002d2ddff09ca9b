"""The access log in the portal: for the party whose customers they are, the one that filed them, and their regulator."""

import django_filters
from django.http import Http404

from moc.access import policy
from moc.accesslog.models import AccessEntry
from moc.portal import Column, List, ScopedFilterSet, Table


class AccessFilterSet(ScopedFilterSet):
    """By purpose and by day."""

    purpose = django_filters.ChoiceFilter(choices=AccessEntry.Purpose.choices, label="What for")
    since = django_filters.DateFilter(field_name="at", lookup_expr="date__gte", label="Since")
    until = django_filters.DateFilter(field_name="at", lookup_expr="date__lte", label="Until")


class AccessList(List):
    """Who looked at personal data within the user's reach, newest first."""

    model = AccessEntry
    title = "Access log"
    noun = "looks"
    permission = "audit"
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

    def setup(self, request, *args, **kwargs) -> None:
        super().setup(request, *args, **kwargs)
        if request.user.is_authenticated and not policy.allows(request.user, self.permission):
            raise Http404

    def selected(self, permission: str = ""):
        """What is exported is no more than what is listed: to hold `export` is not enough."""
        return super().selected(self.permission)
