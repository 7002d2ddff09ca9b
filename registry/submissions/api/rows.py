"""Filed rows in the API: the same page for the submission's and the review's list, with personal columns for those who may see them."""

from django.db.models import QuerySet

from moc.portal.paging import Sort
from registry.submissions.api.serializers import FiledOwnerSerializer, RowSerializer
from registry.submissions.models import StagedDer, StagedOwner

BY_ROW = (Sort("row", ("row_number",)), Sort("-row", ("-row_number",)))


def lay(rows: QuerySet[StagedDer], keys: list[int], user) -> list[dict]:
    """Rows in the order of `keys`, each with its owner or null."""
    laid = RowSerializer.lay(rows)
    owners = FiledOwnerSerializer.lay(StagedOwner.objects.visible_to(user, "view_personal").filter(pk__in=list(laid)))
    return [laid[key] | {"owner": owners.get(key)} for key in keys if key in laid]


def one(row: StagedDer, user) -> dict:
    """One row."""
    return lay(StagedDer.objects.filter(pk=row.pk), [row.pk], user)[0]
