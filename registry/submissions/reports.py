"""What screens and documents show of filings: how a file was read, counts, findings, what a row changes."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from moc.access import policy
from moc.documents.models import Document
from moc.jobs.models import Job
from moc.portal import paging
from moc.rules import ERROR, WARNING
from registry.aggregations.models import Aggregation
from registry.aggregations.reports import findings_of
from registry.ders import dictionary
from registry.ders import reports as der_reports
from registry.ders.models import Der
from registry.submissions.models import Decision, Finding, StagedDer, Submission, UtilityReview
from registry.utilities.rules import rule_of

KINDS = {"csv": "CSV", "xlsx": "XLSX workbook", "ndjson": "NDJSON", "json": "JSON"}
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
FINDINGS_PAGE, LETTER_ROWS = 50, 500
BY_ROW = paging.Sort("row", ("row_number", "id"))


def sheet_facts(submission: Submission) -> list:
    """How the file was read, as a group of facts; nothing for a filing by form."""
    sheet = submission.sheet
    if "columns" not in sheet:
        return []
    recognised = [name for name in sheet["columns"] if name]
    rows = [
        ("File", submission.document.name if submission.document_id else "", None, None),
        ("Read as", KINDS.get(sheet["kind"], sheet["kind"]), None, None),
        ("Encoding", sheet["encoding"], None, None),
        ("Delimiter", DELIMITERS.get(sheet["delimiter"], sheet["delimiter"]), None, None),
        ("Columns recognised", len(recognised), None, None),
        ("Columns not known, ignored", sheet["unknown"], None, None),
        ("Required columns missing", sheet["missing_required"], None, None),
    ]
    return [("How the file was read", rows)]


def authorisation_of(submission: Submission, user) -> Document | None:
    """What the customer signed for a switch, for those who may read it."""
    if submission.kind != Submission.Kind.SWITCH:
        return None
    return Document.objects.readable_by(user).filter(kind=Document.Kind.EVIDENCE, pk=submission.document_id).first()


def aggregation_of(submission: Submission, user) -> str:
    """The aggregation of a filing about members, for those who see it."""
    return str(Aggregation.objects.visible_to(user).filter(pk=submission.aggregation_id).first() or "")


def left_out(submission: Submission) -> dict | None:
    """The rows of a change of members that could not be taken, as includes/findings.html shows them."""
    told = submission.sheet.get("left_out")
    return findings_of(told) | {"rows": told["bad"]} if told else None


@dataclass(frozen=True)
class Counts:
    """Rows of a submission: all, those that errors hold back, those with warnings, and by change."""

    rows: int
    bad: int
    warned: int
    changes: dict[str, int]

    @property
    def good(self) -> int:
        return self.rows - self.bad


def counts(submission: Submission, user) -> Counts:
    """The rows that the user may see, counted. What the job counted is taken as long as no row changed since."""
    rows = StagedDer.objects.visible_to(user).filter(submission=submission)
    findings = Finding.objects.visible_to(user).filter(submission=submission)
    by_severity = dict(findings.order_by().values_list("severity").annotate(Count("row_id", distinct=True)))
    outcome = _counted(submission) if policy.allows(user, "view_registry", submission.aggregator) else None
    changes = outcome["changes"] if outcome else dict(rows.order_by().values_list("change").annotate(Count("pk")))
    return Counts(sum(changes.values()), by_severity.get(ERROR, 0), by_severity.get(WARNING, 0), changes)


def _counted(submission: Submission) -> dict | None:
    """What the job that read the file counted, if no row came, went or changed since."""
    job = submission.job
    fresh = submission.checked_at and job and job.status == Job.Status.DONE
    return job.outcome if fresh and job.outcome.get("rows") == submission.row_count else None


def by_rule(submission: Submission, user, address, current: str = "") -> list[dict]:
    """Findings counted by rule, as includes/findings.html shows them; `address(code)` gives the page filtered by a rule."""
    found = Finding.objects.visible_to(user).filter(submission=submission).counts_by_rule()
    return [
        {
            "code": code,
            "severity": severity,
            "count": number,
            "rows": rows,
            "sentence": rule_of(code).sentence,
            "url": address(None if code == current else code),
            "current": code == current,
        }
        for code, severity, number, rows in found
    ]


def findings_page(rows, params, address) -> tuple[list[dict], dict]:
    """One page of findings and its neighbours' addresses."""
    found = paging.find(rows, None, BY_ROW, FINDINGS_PAGE, after=params.get("after", ""), before=params.get("before", ""))
    by_pk = Finding.objects.select_related("submission").in_bulk(found.keys)
    page = {
        "previous_url": address(before=found.previous) if found.previous else None,
        "next_url": address(after=found.following) if found.following else None,
    }
    return [shown(by_pk[pk]) for pk in found.keys], page


def shown(finding: Finding, url: str = "") -> dict:
    """A finding as includes/findings.html shows it."""
    rule = rule_of(finding.code)
    return {
        "row_number": finding.row_number,
        "column": finding.column,
        "value": finding.value,
        "code": finding.code,
        "severity": finding.severity,
        "sentence": rule.sentence,
        "remedy": rule.remedy,
        "cites": rule.cites,
        "url": url,
    }


def annotations(submission: Submission) -> Iterator[tuple[int, str, str]]:
    """Findings in the order of the rows of the submission's file, for readers.annotate: (row of the file, severity, text)."""
    offset = submission.sheet.get("offset", 0)
    found = submission.findings.filter(row_number__gt=offset).order_by("row_number", "code", "column")
    for number, severity, code, column, value in found.values_list("row_number", "severity", "code", "column", "value").iterator(5_000):
        rule = rule_of(code)
        given = f" (given: {value})" if value else ""
        yield number - offset, severity, f"{column}{given}: {rule.sentence} {rule.remedy} [{code}]"


def row_facts(row: StagedDer, *, personal: bool) -> list:
    """What was filed, in the dictionary's groups; empty fields are left out."""
    groups = []
    for group, names in dictionary.by_group().items():
        filed = [name for name in names if name not in dictionary.PERSONAL]
        given = [fact for name in filed if (fact := _fact(row, name))[1] not in (None, "", [])]
        if given:
            groups.append((group, given))
    owner = getattr(row, "owner", None)
    if personal and owner is not None:
        groups.append((dictionary.OWNER, der_reports.owner_facts(row)))
    return groups


def _fact(row, name: str) -> tuple:
    field = StagedDer._meta.get_field(name)
    value = getattr(row, name)
    is_number = name == "utility_id_eia" and value is not None
    return (label_of(name), str(value) if is_number else der_reports.words(field, value), None, None)


def label_of(name: str) -> str:
    """A filing column's label, capitalised."""
    label = str(StagedDer._meta.get_field(name).verbose_name)
    return label[:1].upper() + label[1:]


def changes_of(row: StagedDer, record: Der | None) -> list[tuple[str, object, object]]:
    """(field, as registered, as filed) for what a filed row would change in the master record."""
    if record is None:
        return []
    fields = [field for field in Der._meta.concrete_fields if field.name in dictionary.FIELDS]
    changed = [
        (label_of(field.name), der_reports.words(field, getattr(record, field.name)), der_reports.words(field, getattr(row, field.name)))
        for field in fields
        if getattr(record, field.name) != getattr(row, field.name)
    ]
    if record.service_point_id != row.service_point_id:
        changed.append(("Service point", str(record.service_point), row.usage_point_id))
    return changed


def statuses(review: UtilityReview, user) -> list[tuple[str, str, int]]:
    """(status, label, rows) of a review, in the order of the lifecycle."""
    rows = StagedDer.objects.visible_to(user).of_review(review)
    found = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    return [(status, label, found[status]) for status, label in StagedDer.Status.choices if found.get(status)]


def unanswered(decisions):
    """The requests for information of a set that still wait: some of their rows have not been decided otherwise."""
    rows = StagedDer.objects.filter(
        submission_id=OuterRef("review__submission_id"),
        edc_id=OuterRef("review__edc_id"),
        decision_id=OuterRef("pk"),
        status=StagedDer.Status.INFO_REQUESTED,
    )
    return decisions.filter(kind=Decision.Kind.REQUEST_INFO, status=Decision.Status.EFFECTIVE).filter(Exists(rows))


def last_day(due_at: datetime | None) -> date | None:
    """The last local day of a deadline: one at midnight is the end of the day before."""
    return timezone.localdate(due_at - timedelta(microseconds=1)) if due_at else None


def with_errors(submissions):
    """The submissions of a set that hold at least one row with an error."""
    return submissions.filter(Exists(Finding.objects.filter(submission=OuterRef("pk"), severity=ERROR)))


def letter(decision: Decision, rows) -> tuple[dict, bytes]:
    """What the letter about a decision shows, of those of its rows that the reader may see, and the utility's logo."""
    review, template = decision.review, decision.letter_template
    rows = rows.order_by("row_number")
    shown = rows.only("row_number", "external_id", "der_type", "nameplate_ac_kw", "premise_address", "status")[:LETTER_ROWS]
    values = {
        "utility": review.edc,
        "aggregator": review.aggregator,
        "submission": review.submission.title,
        "submitted_on": _day(review.submission.submitted_at),
        "decision": decision.get_kind_display(),
        "decided_on": _day(decision.decided_at),
        "count": f"{decision.row_count:,}",
        "reference": decision.uuid,
    }
    context = {
        "decision": decision,
        "review": review,
        "rows": shown,
        "left_out": max(0, rows.count() - LETTER_ROWS),
        "reason": decision.get_reason_code_display().partition(" ")[2] if decision.reason_code else "",  # without the list's number
        "letter": template.words(values) if template else None,
    }
    return context, bytes(template.logo) if template else b""


def _day(moment: datetime | None) -> str:
    return f"{timezone.localdate(moment):%Y-%m-%d}" if moment else ""
