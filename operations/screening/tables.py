"""Columns of screens and of what they found."""

from django.urls import reverse

from moc.portal import Column, Table
from operations.screening.models import ReviewScreen, ScreenFinding

SCREEN_TABLE = Table(
    caption="Screens of reviews",
    url=lambda row: reverse("operations:review_screen", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No review was screened",
    columns=(
        Column("review__submission__title", "Submission", sort="id"),
        Column("feeder__code", "Feeder", kind="code"),
        Column("status", "Status", kind="status", choices=ReviewScreen.Status),
        Column("row_count", "DERs", numeric=True),
        Column("short_count", "Of which limited", numeric=True),
        Column("computed_at", "Computed"),
        Column("edc__name", "Utility"),
    ),
)
FINDING_TABLE = Table(
    caption="What cannot always be delivered",
    url=lambda row: reverse("registry:submission_row", args=[row["row__submission__uuid"], row["row__row_number"]]),
    needs=("row__submission__uuid", "row__row_number"),
    empty_title="All that was filed can be delivered, or nothing was screened",
    columns=(
        Column("row__external_id", "DER", kind="code", sort="id"),
        Column("direction", "Direction", choices=ScreenFinding.Direction),
        Column("filed_kw", "Filed (kW)", numeric=True),
        Column("limit_kw", "Always possible (kW)", numeric=True),
        Column("month", "Least in month", numeric=True),
        Column("hour", "At hour", numeric=True),
        Column("binds", "What binds", choices=ScreenFinding.Binds),
        Column("feeder_code", "Feeder", kind="code"),
    ),
)
