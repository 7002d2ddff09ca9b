"""Filed rows in the API: the same page for the submission's and the review's list, with personal columns for those who may see them."""

from django.db.models import QuerySet

from moc.portal.paging import Sort
from registry.participants.services import masked
from registry.submissions.api.serializers import RowSerializer
from registry.submissions.models import StagedDer
from registry.submissions.personal import StagedOwner

BY_ROW = (Sort("row", ("row_number",)), Sort("-row", ("-row_number",)))


def lay(rows: QuerySet[StagedDer], keys: list[int], user) -> list[dict]:
    """Rows in the order of `keys`, each with its owner or null."""
    laid = RowSerializer.lay(rows)
    owners = StagedOwner.objects.visible_to(user, "view_personal").in_bulk(list(laid))
    return [laid[key] | {"owner": masked(owners[key]) if key in owners else None} for key in keys if key in laid]


def one(row: StagedDer, user) -> dict:
    """One row."""
    return lay(StagedDer.objects.filter(pk=row.pk), [row.pk], user)[0]
