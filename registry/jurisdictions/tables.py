"""Columns of the lists of utilities, jurisdictions, sales and retail programs."""

from django.urls import reverse

from moc.portal import Column, Table
from registry.jurisdictions.models import RetailProgram
from registry.participants.models import UtilityProfile

FROM = Column("valid_from", "From", value=lambda row: row["valid_during"].lower, needs=("valid_during",))
UNTIL = Column("valid_until", "Until", value=lambda row: row["valid_during"].upper, needs=("valid_during",))
PROGRAM_TABLE = Table(
    caption="Retail programs",
    url=lambda row: reverse("registry:program_detail", args=[row["id"]]),
    needs=("id",),
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
    url=lambda row: reverse("registry:jurisdiction_detail", args=[row["id"]]),
    needs=("id",),
    empty_title="No jurisdiction matches",
    columns=(Column("rerra__name", "Regulator"), Column("edc__name", "Utility"), Column("county__name", "County"), FROM, UNTIL),
)
AFFILIATION_TABLE = Table(
    caption="Affiliations",
    url=lambda row: reverse("registry:affiliation_detail", args=[row["id"]]),
    needs=("id",),
    empty_title="No affiliation is on record",
    columns=(Column("aggregator__name", "Aggregator"), Column("edc__name", "Utility"), Column("source", "Source"), FROM, UNTIL),
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
UTILITY_TABLE = Table(
    caption="Utilities",
    url=lambda row: reverse("registry:utility_detail", args=[row["eia_id"]]),
    needs=("eia_id",),
    empty_title="No utility takes part",
    columns=(
        Column("edc__name", "Utility"),
        Column("eia_number", "EIA id", kind="code", value=lambda row: str(row["eia_id"]), needs=("eia_id",)),
        Column("ownership", "Ownership", choices=UtilityProfile.Ownership),
        Column("nerc_region", "NERC region"),
        Column("balancing_authority", "Balancing authority"),
        Column("tso__name", "Transmission operator"),
        Column("annual_mwh", "Sales (MWh)", numeric=True),
        Column("annual_mwh_year", "Year of the sales", kind="code"),
    ),
)
