"""The rows of a filing about members, checked again by the rules on members as they stand today."""

from collections.abc import Iterable

from django.utils import timezone

from moc.bulk import run_sql
from registry.aggregations.models import Aggregation
from registry.aggregations.services import membership
from registry.submissions.kinds import Kind
from registry.submissions.models import StagedDer, Submission


def lay(submission: Submission, *, statuses: Iterable[str], decision: int | None = None) -> None:
    """What was asked for as typed rows of the transaction: of rows in these statuses, of one decision if one is given."""
    membership.lay_tables()
    asked = {"submission": submission.pk, "decision": decision, "statuses": list(statuses), "today": timezone.localdate()}
    run_sql("member_again", asked)


def find(submission: Submission) -> None:
    """The findings of the rules on members, in the place of earlier ones."""
    submission.findings.filter(code__startswith="MEMBER-").delete()
    lay(submission, statuses=StagedDer.OPEN)
    membership.find(Aggregation.objects.get(pk=submission.aggregation_id), leaving=submission.kind == Kind.DROP)
    run_sql("member_found", {"submission": submission.pk})
