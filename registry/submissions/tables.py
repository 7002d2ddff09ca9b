"""Columns of submissions, reviews and filed rows."""

from dataclasses import replace

from django.urls import reverse

from moc.portal import Column, Table
from registry.ders.choices import Technology
from registry.submissions import reports
from registry.submissions.models import StagedDer, Submission, UtilityReview


def submission_url(row: dict) -> str:
    return reverse("registry:submission_detail", args=[row["uuid"]])


def review_url(row: dict) -> str:
    return reverse("registry:review_detail", args=[row["uuid"]])


def row_url(row: dict) -> str:
    return reverse("registry:submission_row", args=[row["submission__uuid"], row["row_number"]])


SUBMISSION_TABLE = Table(
    caption="Submissions",
    url=submission_url,
    needs=("uuid",),
    empty_title="No submissions match",
    columns=(
        Column("title", "Submission", sort="id"),
        Column("status", "Status", kind="status", choices=Submission.Status),
        Column("row_count", "DERs", numeric=True),
        Column("kind", "Kind", choices=Submission.Kind),
        Column("source", "Source", choices=Submission.Source),
        Column("aggregator__name", "Aggregator"),
        Column("created_at", "Started"),
        Column("submitted_at", "Submitted"),
    ),
)


def _open_until(row: dict):
    """The deadline of a review that still runs."""
    return None if row["status"] == UtilityReview.Status.CLOSED else row["due_at"]


REVIEW_TABLE = Table(
    caption="Reviews",
    url=review_url,
    needs=("uuid",),
    empty_title="No reviews match",
    columns=(
        Column("submission__title", "Submission"),
        Column("status", "Status", kind="status", choices=UtilityReview.Status),
        Column("days_left", "Days left", kind="deadline", value=_open_until, needs=("due_at", "status")),
        Column("due_at", "Due", value=lambda row: reports.last_day(row["due_at"]), needs=("due_at",), sort="due_at"),
        Column("row_count", "DERs", numeric=True),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
        Column("started_at", "Started"),
    ),
)

_ROW_COLUMNS = (
    Column("external_id", "DER", kind="code"),
    Column("row_number", "Row", kind="code", numeric=True, sort="row_number"),
    Column("der_type", "Technology", choices=Technology),
    Column("nameplate_ac_kw", "AC (kW)", numeric=True),
    Column("approved_export_kw", "Export (kW)", numeric=True),
    Column("change", "Change", choices=StagedDer.Change),
)
_PLACE_COLUMNS = (
    Column("service_point__feeder__code", "Feeder", kind="code"),
    Column("premise_address", "Address"),
)
_DECISION = Column("status", "Decision", kind="status", choices=StagedDer.Status)

ROW_TABLE = Table(
    caption="Filed rows",
    url=row_url,
    needs=("submission__uuid",),
    empty_title="No rows match",
    columns=(*_ROW_COLUMNS, Column("edc__name", "Utility"), Column("usage_point_id", "Service point", kind="code"), _DECISION),
)

READ_ONLY_REVIEW_TABLE = Table(
    caption="Rows under review",
    url=row_url,
    needs=("submission__uuid",),
    empty_title="No rows match",
    columns=(*_ROW_COLUMNS, *_PLACE_COLUMNS, _DECISION),
)
REVIEW_ROW_TABLE = replace(READ_ONLY_REVIEW_TABLE, selected="row_number", form_id="decide")

# a switch files no facts: who decides it sees the DERs' own, and who does not see the DERs sees none
_OF_DER = {
    "nameplate_ac_kw": "der__nameplate_ac_kw",
    "approved_export_kw": "der__approved_export_kw",
    "service_point__feeder__code": "der__feeder__code",
    "premise_address": "der__premise_address",
}


def of_switch(table: Table) -> Table:
    """A table of filed rows with the facts of the DERs that they name."""
    return replace(table, columns=tuple(replace(column, name=_OF_DER.get(column.name, column.name)) for column in table.columns))


# a review's rows as a file: enough to decide by, and what a decision file is matched by
REVIEW_EXPORT = {
    name: name
    for name in (
        "row_number external_id der_type manufacturer model serial_no nameplate_ac_kw energy_capacity_kwh approved_export_kw "
        "approved_import_kw interconnection_agreement_no usage_point_id premise_address zip_code customer_sector change status"
    ).split()
} | {"feeder": "service_point__feeder__code", "reason_code": "decision__reason_code", "statement": "decision__statement"}


_OWN_TO_THE_ROW = {"row_number", "external_id", "change", "status", "reason_code", "statement"}


def export_of_switch() -> dict[str, str]:
    """The columns of a switch's review as a file: facts are the DERs' own, what a decision file is matched by is the row's."""
    of_der = {name: f"der__{lookup}" for name, lookup in REVIEW_EXPORT.items() if name not in _OWN_TO_THE_ROW}
    return REVIEW_EXPORT | of_der | {"feeder": "der__feeder__code", "usage_point_id": "der__service_point__usage_point_id"}
