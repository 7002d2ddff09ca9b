"""Columns of lists of what utilities set."""

from moc.portal import Column, Table
from registry.ders.choices import Technology
from registry.utilities.models import ReviewRule
from registry.utilities.rules import codes_of, label_of


def _words(row: dict) -> str:
    named = codes_of(row["field"])
    return ", ".join(named.get(code, code) for code in row["codes"])


def _technologies(row: dict) -> str:
    return ", ".join(Technology(code).label for code in row["technologies"])


RULE_TABLE = Table(
    caption="Review rules",
    empty_title="No utility has set a rule",
    columns=(
        Column("edc__name", "Utility"),
        Column("label", "Column", value=lambda row: label_of(row["field"]), needs=("field",)),
        Column("kind", "Demand", choices=ReviewRule.Kind),
        Column("number", "Number", numeric=True),
        Column("named", "Codes", value=_words, needs=("field", "codes")),
        Column(
            "only", "Only for", value=lambda row: ", ".join(Technology(code).label for code in row["technologies"]), needs=("technologies",)
        ),
        Column("from_kw", "From (kW)", numeric=True),
        Column("severity", "Severity", kind="status", choices=ReviewRule.Severity),
        Column("remedy", "Remedy"),
    ),
)
