"""Who owes what until when, with what was filed and its receipt: reviews, validations, certifications, answers, annual returns."""

from collections.abc import Iterator
from datetime import date, datetime, time

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from moc.reports.datasets import DATE, MOMENT, PERMISSION, Duty, Head, Result, all_duties
from moc.reports.models import ReportRun
from registry.aggregations.models import Aggregation
from registry.aggregators.models import Certification
from registry.submissions.models import Submission, UtilityReview

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


def _bounds(first: date, last: date) -> tuple[datetime, datetime]:
    begins, ends = (timezone.make_aware(datetime.combine(day, time.min)) for day in (first, last + timezone.timedelta(days=1)))
    return begins, ends


def reviews(user, first: date, last: date) -> Iterator[Duty]:
    """Utilities' reviews by their clock."""
    rows = policy.scope(UtilityReview.objects.filter(due_at__range=_bounds(first, last)), user, PERMISSION)
    for each in rows.select_related("edc", "submission").order_by("due_at"):
        url, due = reverse("registry:review_detail", args=[each.uuid]), timezone.localdate(each.due_at)
        receipt = str(each.uuid) if each.closed_at else ""
        yield Duty(each.edc.name, f"Review of {each.submission.title}", "¶292, ¶295", due, each.closed_at, receipt, url)


def resubmissions(user, first: date, last: date) -> Iterator[Duty]:
    """What was returned as incomplete is mended."""
    asked = Q(resubmit_due_at__range=_bounds(first, last), status="returned")
    for each in policy.scope(Submission.objects.filter(asked), user, PERMISSION).select_related("aggregator"):
        url, due = reverse("registry:submission_detail", args=[each.uuid]), timezone.localdate(each.resubmit_due_at)
        yield Duty(each.aggregator.name, f"Mend {each.title}", "rule set resubmit_days", due, url=url)


def validations(user, first: date, last: date) -> Iterator[Duty]:
    """RTOs' validation of aggregations, and answers that they wait for."""
    rows = policy.scope(Aggregation.objects.exclude(tso=None), user, PERMISSION).select_related("tso", "aggregator")
    for each in rows.filter(due_at__range=_bounds(first, last)):
        decided = each.status in (Aggregation.Status.REGISTERED, Aggregation.Status.DENIED)
        filed = (
            each.history.filter(status=each.status).order_by("history_date").values_list("history_date", flat=True).first()
            if decided
            else None
        )
        url, due = reverse("registry:aggregation_detail", args=[each.uuid]), timezone.localdate(each.due_at)
        yield Duty(each.tso.name, f"Validate {each.name}", "¶292", due, filed, str(each.uuid) if filed else "", url)
    for each in rows.filter(status="asked", answer_due_at__range=_bounds(first, last)):
        url, due = reverse("registry:aggregation_detail", args=[each.uuid]), timezone.localdate(each.answer_due_at)
        yield Duty(each.aggregator.name, f"Answer about {each.name}", "rule set info_response_business_days", due, url=url)


def certifications(user, first: date, last: date) -> Iterator[Duty]:
    """Certifications that end are renewed: a later one of the kind is the receipt."""
    rows = policy.scope(Certification.objects.filter(withdrawn_on=None), user, PERMISSION).select_related("aggregator")
    known = list(rows.order_by("expires_on"))
    for each in known:
        if first <= each.expires_on <= last:
            mine = (other for other in known if other.aggregator_id == each.aggregator_id and other.kind == each.kind)
            later = next((other for other in mine if other.expires_on > each.expires_on), None)
            made = later and later.history.order_by("history_date").values_list("history_date", flat=True).first()
            what = f"Renew: {each.get_kind_display()}"
            yield Duty(each.aggregator.name, what, "registration of aggregators", each.expires_on, made, str(later.uuid) if later else "")


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
