"""Sales by year, retail programs and affiliations, to build reports on."""

from moc.reports.datasets import dataset
from registry.jurisdictions.models import Affiliation, AnnualSales, RetailProgram

UTILITY = ("edc__name", "Utility")

dataset(
    "annual-sales",
    "Sales by year",
    AnnualSales,
    UTILITY,
    "year",
    "sales_mwh",
    "source",
    about="What utilities distributed, by fiscal year.",
)
dataset(
    "retail-programs",
    "Retail programs",
    RetailProgram,
    UTILITY,
    "code",
    "name",
    "status",
    "kind",
    "pays_for",
    "bars_wholesale",
    "tariff",
    about="Tariffs and retail programs of utilities with their terms.",
)
dataset(
    "affiliations",
    "Affiliations",
    Affiliation,
    ("aggregator__name", "Aggregator"),
    UTILITY,
    "source",
    about="Aggregators that are affiliates of a utility (¶292).",
)
