"""Who owes what until when, with what was filed and its receipt: reviews, validations, certifications, answers, annual returns."""

from collections.abc import Iterator
from datetime import date

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.reports.datasets import DATE, MOMENT, PERMISSION, Duty, Head, Result, all_duties, due_within
from moc.reports.models import ReportRun
from registry.aggregations.models import Aggregation
from registry.aggregators.models import Certification
from registry.submissions.models import Submission, UtilityReview
from registry.submissions.reports import last_day

DECIDED = (Aggregation.Status.REGISTERED, Aggregation.Status.DENIED)
# EIA's form is due on 30 April of the next year (instructions of Form EIA-861; day from memory)
EIA_DUE = (4, 30)
EIA_RETURNS = {
    "eia-861-net-metering": "EIA-861 net metering",
    "eia-861-non-net-metering": "EIA-861 distributed, not net-metered",
    "eia-861-demand-response": "EIA-861 demand response",
    "eia-861-advanced-metering": "EIA-861 advanced metering",
}


def calendar(user, asked: dict) -> Result:
    """Every duty of the days asked for, first due first."""
    heads = [
        Head("Party"),
        Head("Duty"),
        Head("By"),
        Head("Due", DATE),
        Head("Filed", MOMENT),
        Head("Receipt"),
        Head("Standing"),
        Head("Page"),
    ]
    today = timezone.localdate()
    rows = [
        [duty.party, duty.what, duty.cites, duty.due, duty.filed, duty.receipt, _standing(duty, today), duty.url]
        for duty in all_duties(user, asked["first"], asked["last"])
    ]
    return Result(heads, rows)


def _standing(duty: Duty, today: date) -> str:
    if duty.filed is not None:
        return "in time" if timezone.localdate(duty.filed) <= duty.due else "late"
    return "overdue" if duty.due < today else "open"


def reviews(user, first: date, last: date) -> Iterator[Duty]:
    """Utilities' reviews by their clock."""
    rows = policy.scope(UtilityReview.objects.filter(**due_within("due_at", first, last)), user, PERMISSION)
    for each in rows.select_related("edc", "submission").order_by("due_at"):
        url, receipt = reverse("registry:review_detail", args=[each.uuid]), str(each.uuid) if each.closed_at else ""
        yield Duty(each.edc.name, f"Review of {each.submission.title}", "¶292, ¶295", last_day(each.due_at), each.closed_at, receipt, url)


def resubmissions(user, first: date, last: date) -> Iterator[Duty]:
    """What was returned as incomplete is mended."""
    asked = Submission.objects.filter(status="returned", **due_within("resubmit_due_at", first, last))
    for each in policy.scope(asked, user, PERMISSION).select_related("aggregator"):
        url, due = reverse("registry:submission_detail", args=[each.uuid]), last_day(each.resubmit_due_at)
        yield Duty(each.aggregator.name, f"Mend {each.title}", "rule set resubmit_days", due, url=url)


def validations(user, first: date, last: date) -> Iterator[Duty]:
    """RTOs' validation of aggregations, and answers that they wait for."""
    rows = policy.scope(Aggregation.objects.exclude(tso=None), user, PERMISSION).select_related("tso", "aggregator")
    decided = Aggregation.history.model.objects.filter(id=OuterRef("pk"), status=OuterRef("status"), status__in=DECIDED)
    since = Subquery(decided.order_by("history_date").values("history_date")[:1])
    for each in rows.filter(**due_within("due_at", first, last)).annotate(decided_at=since):
        url, receipt = reverse("registry:aggregation_detail", args=[each.uuid]), str(each.uuid) if each.decided_at else ""
        yield Duty(each.tso.name, f"Validate {each.name}", "¶292", last_day(each.due_at), each.decided_at, receipt, url)
    for each in rows.filter(status="asked", **due_within("answer_due_at", first, last)):
        url, due = reverse("registry:aggregation_detail", args=[each.uuid]), last_day(each.answer_due_at)
        yield Duty(each.aggregator.name, f"Answer about {each.name}", "rule set info_response_business_days", due, url=url)


def certifications(user, first: date, last: date) -> Iterator[Duty]:
    """Certifications that end are renewed: a later one of the kind is the receipt."""
    standing = Certification.objects.filter(withdrawn_on=None)
    later = standing.filter(aggregator=OuterRef("aggregator"), kind=OuterRef("kind"), expires_on__gt=OuterRef("expires_on"))
    first_version = Certification.history.model.objects.filter(id=OuterRef("later_id"), history_type="+").values("history_date")[:1]
    rows = policy.scope(standing.filter(expires_on__range=(first, last)), user, PERMISSION).select_related("aggregator")
    rows = rows.annotate(later_id=Subquery(later.order_by("expires_on").values("pk")[:1]))
    rows = rows.annotate(renewed_at=Subquery(first_version), receipt=Subquery(later.order_by("expires_on").values("uuid")[:1]))
    for each in rows.order_by("expires_on"):
        what, receipt = f"Renew: {each.get_kind_display()}", str(each.receipt or "")
        yield Duty(each.aggregator.name, what, "registration of aggregators", each.expires_on, each.renewed_at, receipt)


def annual_returns(user, first: date, last: date) -> Iterator[Duty]:
    """Utilities' returns of the year before; the first run of the report for that year is what was filed, its digest the receipt."""
    utilities = Organization.objects.filter(kind="edc", is_active=True, pk__in=policy.reach(user, PERMISSION)).order_by("name")
    years = [year for year in range(first.year, last.year + 1) if first <= date(year, *EIA_DUE) <= last]
    runs = policy.scope(ReportRun.objects.filter(source__in=EIA_RETURNS, document__isnull=False), user, PERMISSION).order_by("read_at")
    made = {}
    for run in runs.select_related("document"):
        made.setdefault((run.organization_id, run.source, str(run.spec.get("parameters", {}).get("year", ""))), run)
    for edc in utilities:
        for year in years:
            for source, title in EIA_RETURNS.items():
                run = made.get((edc.pk, source, str(year - 1)))
                said = (run.read_at, run.document.sha256, reverse("report_run", args=[run.uuid])) if run else ()
                yield Duty(edc.name, f"{title}, {year - 1}", "Form EIA-861 (day unverified)", date(year, *EIA_DUE), *said)
