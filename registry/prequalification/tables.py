"""Columns of verdicts, of aggregations to validate, and of changes of the law."""

from django.urls import reverse

from moc.portal import Column, Table
from moc.rulesets.models import RuleChange
from registry.aggregations.models import Aggregation


def subject_url(row: dict) -> str:
    if row["der__uuid"]:
        return reverse("registry:der_checklist", args=[row["der__uuid"]])
    return reverse("registry:aggregation_checklist", args=[row["aggregation__uuid"]])


def _subject(row: dict) -> str:
    return row["der__external_id"] or row["aggregation__name"]


VERDICT_TABLE = Table(
    caption="Verdicts",
    url=subject_url,
    needs=("der__uuid", "aggregation__uuid"),
    columns=(
        Column("subject", "DER or aggregation", value=_subject, needs=("der__external_id", "aggregation__name")),
        Column("service__name", "Service"),
        Column("market__name", "Market"),
        Column("eligible", "Qualifies"),
        Column("by_rules", "By the rules"),
        Column("aggregator__name", "Aggregator"),
        Column("edc__name", "Utility"),
        Column("since", "Since"),
    ),
)
VERDICT_EXPORT = {
    "der_id": "der__uuid",
    "der": "der__external_id",
    "aggregation_id": "aggregation__uuid",
    "aggregation": "aggregation__name",
    "service": "service__code",
    "market": "market__slug",
    "eligible": "eligible",
    "by_rules": "by_rules",
    "since": "since",
    "aggregator": "aggregator__name",
    "utility": "edc__name",
}

VALIDATION_TABLE = Table(
    caption="Aggregations",
    url=lambda row: reverse("registry:aggregation_checklist", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No aggregation waits",
    columns=(
        Column("name", "Aggregation"),
        Column("status", "Status", kind="status", choices=Aggregation.Status),
        Column("aggregator__name", "Aggregator"),
        Column("tso__name", "RTO"),
        Column("due_at", "Decide by"),
        Column("market_id", "Id at the RTO", kind="code"),
        Column("effective_on", "Takes part from"),
    ),
)

CHANGE_TABLE = Table(
    caption="Rule changes",
    url=lambda row: reverse("registry:rule_change", args=[row["uuid"]]),
    needs=("uuid",),
    empty_title="No change is prepared",
    columns=(
        Column("key", "What", kind="code"),
        Column("authority", "Authority", kind="code"),
        Column("value", "Value"),
        Column("unit", "Unit"),
        Column("starts_on", "In force from"),
        Column("status", "Status", kind="status", choices=RuleChange.Status),
        Column("organization__name", "Asked for by"),
    ),
)
