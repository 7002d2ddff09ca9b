"""Lists of utilities, jurisdictions, sales and retail programs, open to everybody signed in; utilities' profiles by day."""

from django.urls import reverse

from moc.access import policy
from moc.portal import Create, Detail, List, Sort, Update
from registry.jurisdictions.filters import DatedFilterSet, OfUtilityFilterSet, RetailProgramFilterSet
from registry.jurisdictions.forms import ProfileChangeForm, ProfileForm
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram
from registry.jurisdictions.services import programs
from registry.jurisdictions.tables import AFFILIATION_TABLE, JURISDICTION_TABLE, PROGRAM_TABLE, SALES_TABLE, UTILITY_TABLE
from registry.participants import services as participants
from registry.participants.models import UTILITY_FACTS, UtilityPeriod, UtilityProfile

UTILITIES = (("Utilities", "registry:utility_list"),)


def keeps(user) -> bool:
    """Whether the user keeps public reference data."""
    return policy.operates(user, participants.PROFILES)


class Reference(List):
    """A list of public reference data, with ways to the others. `kind`: what is added to it (registry.jurisdictions.keeping)."""

    counts_filtered = True
    kind = ""

    def added(self) -> list[tuple[str, str, bool]]:
        """The way to a new record, for who keeps them."""
        return [("Add", reverse("registry:reference_new", args=[self.kind]), True)] if self.kind and keeps(self.request.user) else []

    def actions(self) -> list[tuple[str, str, bool]]:
        return [*self.added(), *self.others()]

    def others(self) -> list[tuple[str, str, bool]]:
        """The ways to the other lists."""
        pages = (
            ("Retail programs", "program_list"),
            ("Jurisdiction", "jurisdiction_list"),
            ("Sales by year", "sales_list"),
            ("Utilities", "utility_list"),
            ("Affiliations", "affiliation_list"),
        )
        return [(label, reverse(f"registry:{name}"), False) for label, name in pages if label != self.title]


class ProgramList(Reference):
    """Tariffs and retail programs with their terms."""

    model = RetailProgram
    title = "Retail programs"
    lead = "A service that a program pays for is not paid a second time by a market; a program may bar wholesale participation (¶296)."
    noun = "programs"
    table = PROGRAM_TABLE
    filterset_class = RetailProgramFilterSet

    def added(self) -> list[tuple[str, str, bool]]:
        may = policy.allows(self.request.user, programs.PERMISSION)
        return [("Draft terms", reverse("registry:program_new"), True)] if may else []


class JurisdictionList(Reference):
    """Which regulator governs which utility where."""

    model = Jurisdiction
    title = "Jurisdiction"
    noun = "jurisdictions"
    kind = "jurisdictions"
    table = JURISDICTION_TABLE
    filterset_class = DatedFilterSet


class SalesList(Reference):
    """What utilities distributed, by fiscal year."""

    model = AnnualSales
    title = "Sales by year"
    noun = "years"
    kind = "sales"
    table = SALES_TABLE
    filterset_class = OfUtilityFilterSet


class AffiliationList(Reference):
    """Which aggregators are affiliates of a utility."""

    model = Affiliation
    title = "Affiliations"
    lead = "Reviews of an affiliate's DERs are watched for preference (¶292)."
    noun = "affiliations"
    kind = "affiliations"
    table = AFFILIATION_TABLE
    filterset_class = DatedFilterSet


class UtilityList(Reference):
    """Utilities with their profiles of today."""

    model = UtilityProfile
    title = "Utilities"
    lead = "Who takes part in the registry, in which balancing area and under which RTO."
    noun = "utilities"
    table = UTILITY_TABLE
    keeps_versions = True
    sorts = (Sort("eia_id", ("eia_id",)),)

    def added(self) -> list[tuple[str, str, bool]]:
        return [("Add a utility's profile", reverse("registry:utility_new"), True)] if keeps(self.request.user) else []


class UtilityDetail(Detail):
    """A utility's profile: today's, each day's, and its sales by year."""

    model = UtilityProfile
    key = "eia_id"
    template_name = "registry/jurisdictions/utility.html"
    keeps_versions = True
    related = ("edc", "tso")
    parents = UTILITIES

    def actions(self) -> list[tuple[str, str, bool]]:
        may = self.moment is None and keeps(self.request.user)
        return [("Change", reverse("registry:utility_change", args=[self.kwargs["eia_id"]]), True)] if may else []

    def facts(self) -> list:
        one = self.object
        told = [
            ("Utility", one.edc.name),
            ("EIA id", str(one.eia_id)),
            ("Ownership", one.get_ownership_display()),
            ("NERC region", one.nerc_region),
            ("Balancing authority", one.balancing_authority),
            ("Transmission operator", one.tso.name if one.tso else ""),
            (f"Sales of {one.annual_mwh_year} (MWh)" if one.annual_mwh_year else "Sales (MWh)", one.annual_mwh),
        ]
        return [("Profile", [(label, value, None, None) for label, value in told])]

    def get_context_data(self, **kwargs) -> dict:
        edc = self.object.edc_id
        shown = {
            "periods": UtilityPeriod.objects.filter(edc=edc).select_related("tso").order_by("valid_during"),
            "sales": AnnualSales.objects.filter(edc=edc).order_by("-year"),
        }
        return super().get_context_data(**shown | kwargs)


class Keeping:
    """For who keeps public reference data: the operator."""

    permission = participants.PROFILES
    parents = UTILITIES

    def allowed(self) -> bool:
        return keeps(self.request.user)


class NewUtility(Keeping, Create):
    """The profile of a utility that takes part from now on."""

    title = "Add a utility's profile"
    form_class = ProfileForm
    success = "The profile is added."

    def perform(self, form) -> UtilityProfile:
        return participants.add_profile(actor=self.request.user, **form.cleaned_data)

    def done_url(self, result: UtilityProfile) -> str:
        return reverse("registry:utility_detail", args=[result.eia_id])


class ChangeUtility(Keeping, Update):
    """Facts that are otherwise from a day on."""

    model = UtilityProfile
    key = "eia_id"
    title = "Change a utility's profile"
    lead = "From the day on, until the next change on record; the days before keep what they had."
    form_class = ProfileChangeForm
    success = "The profile is changed."

    def get_form_kwargs(self) -> dict:
        return {"initial": {name: getattr(self.object, name) for name in UTILITY_FACTS}}

    def perform(self, form) -> bool:
        given = dict(form.cleaned_data)
        return participants.change_profile(actor=self.request.user, profile=self.object, starts_on=given.pop("starts_on"), **given)

    def done_url(self, result) -> str:
        return reverse("registry:utility_detail", args=[self.kwargs["eia_id"]])
