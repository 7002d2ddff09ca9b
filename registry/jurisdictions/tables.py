"""Columns of the lists of jurisdictions, sales and retail programs."""

from moc.portal import Column, Table
from registry.jurisdictions.models import RetailProgram

FROM = Column("valid_from", "From", value=lambda row: row["valid_during"].lower, needs=("valid_during",))
UNTIL = Column("valid_until", "Until", value=lambda row: row["valid_during"].upper, needs=("valid_during",))
PROGRAM_TABLE = Table(
    caption="Retail programs",
    empty_title="No programs match",
    columns=(
        Column("code", "Code", kind="code"),
        Column("name", "Program"),
        Column("status", "Status", kind="status", choices=RetailProgram.Status),
        Column("edc__name", "Utility"),
        Column("kind", "Kind", choices=RetailProgram.Kind),
        Column("pays_for", "Pays for", value=lambda row: ", ".join(row["pays_for"]), needs=("pays_for",)),
        Column("bars_wholesale", "Bars wholesale"),
        Column("tariff", "Tariff sheet"),
        FROM,
        UNTIL,
    ),
)
JURISDICTION_TABLE = Table(
    caption="Jurisdiction",
    empty_title="No jurisdiction matches",
    columns=(Column("rerra__name", "Regulator"), Column("edc__name", "Utility"), Column("county__name", "County"), FROM, UNTIL),
)
SALES_TABLE = Table(
    caption="Sales by year",
    empty_title="No sales are on record",
    columns=(
        Column("edc__name", "Utility"),
        Column("year", "Fiscal year", kind="code"),
        Column("sales_mwh", "Sales (MWh)", numeric=True),
        Column("source", "Source"),
    ),
)
