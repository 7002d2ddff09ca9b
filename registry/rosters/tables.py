"""Columns of lists of rosters and of differences."""

from django.urls import reverse

from moc.portal import Column, Table
from moc.rules import registry

ROSTER_TABLE = Table(
    caption="Rosters",
    empty_title="No rosters yet",
    columns=(
        Column("program", "Programme", kind="code"),
        Column("edc__name", "Utility"),
        Column("account_count", "Accounts", numeric=True),
        Column("received_at", "Received"),
    ),
)
FINDING_TABLE = Table(
    caption="Differences",
    url=lambda row: reverse("registry:der_detail", args=[row["der__uuid"]]),
    needs=("der__uuid",),
    empty_title="Registry and rosters agree",
    columns=(
        Column("der__external_id", "DER", kind="code"),
        Column("program", "Programme", kind="code"),
        Column("sentence", "What differs", value=lambda row: registry[row["code"]].sentence, needs=("code",)),
        Column("remedy", "What to do", value=lambda row: registry[row["code"]].remedy, needs=("code",)),
        Column("edc__name", "Utility"),
        Column("found_at", "Found"),
    ),
)
