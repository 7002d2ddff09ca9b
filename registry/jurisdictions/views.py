"""Lists of jurisdictions, sales and retail programs, open to everybody signed in."""

from django.urls import reverse

from moc.portal import List
from registry.jurisdictions.filters import DatedFilterSet, OfUtilityFilterSet, RetailProgramFilterSet
from registry.jurisdictions.models import AnnualSales, Jurisdiction, RetailProgram
from registry.jurisdictions.tables import JURISDICTION_TABLE, PROGRAM_TABLE, SALES_TABLE


class Reference(List):
    """A list of public reference data, with ways to the others."""

    counts_filtered = True

    def actions(self) -> list[tuple[str, str, bool]]:
        pages = (("Retail programs", "program_list"), ("Jurisdiction", "jurisdiction_list"), ("Sales by year", "sales_list"))
        return [(label, reverse(f"registry:{name}"), False) for label, name in pages if label != self.title]


class ProgramList(Reference):
    """Tariffs and retail programs with their terms."""

    model = RetailProgram
    title = "Retail programs"
    lead = "A service that a program pays for is not paid a second time by a market; a program may bar wholesale participation (¶296)."
    noun = "programs"
    table = PROGRAM_TABLE
    filterset_class = RetailProgramFilterSet


class JurisdictionList(Reference):
    """Which regulator governs which utility where."""

    model = Jurisdiction
    title = "Jurisdiction"
    noun = "jurisdictions"
    table = JURISDICTION_TABLE
    filterset_class = DatedFilterSet


class SalesList(Reference):
    """What utilities distributed, by fiscal year."""

    model = AnnualSales
    title = "Sales by year"
    noun = "years"
    table = SALES_TABLE
    filterset_class = OfUtilityFilterSet
