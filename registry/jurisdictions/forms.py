"""Forms of utilities' profiles, of what is kept about utilities, and of terms of retail programs."""

from django import forms
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from registry.aggregators.forms import day, of_kind
from registry.jurisdictions.models import Affiliation, AnnualSales, Jurisdiction, RetailProgram
from registry.jurisdictions.services import programs
from registry.participants.models import UTILITY_FACTS, UtilityProfile
from registry.participants.services import days


class ProfileForm(forms.ModelForm):
    """A utility's profile. The service, not the form, saves it."""

    class Meta:
        model = UtilityProfile
        fields = ("edc", "eia_id", *UTILITY_FACTS)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["edc"].queryset = of_kind(Organization.Kind.EDC).filter(utility=None)
        self.fields["tso"].queryset = of_kind(Organization.Kind.TSO)


class ProfileChangeForm(forms.ModelForm):
    """What a profile says from a day on."""

    starts_on = day("From", "any day")

    class Meta:
        model = UtilityProfile
        fields = UTILITY_FACTS

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tso"].queryset = of_kind(Organization.Kind.TSO)
        self.fields["starts_on"].initial = timezone.localdate()


class RecordForm(forms.ModelForm):
    """A record to be kept. The service, not the form, saves it; parties are chosen among those of their kind."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name in {"edc", "rerra", "aggregator"} & set(self.fields):
            self.fields[name].queryset = of_kind(name)

    def _post_clean(self):
        """The service judges the record whole."""

    def facts(self) -> dict:
        """The columns that the form gives. Raises UserError for days that end before they begin."""
        given = dict(self.cleaned_data)
        if "valid_from" in given:
            given["valid_during"] = days(given.pop("valid_from"), given.pop("valid_until"))
        return given


class DatedForm(RecordForm):
    """A record of some days."""

    valid_from = day("From")
    valid_until = day("Until", "the first day without it; empty: until further notice", required=False)


class JurisdictionForm(DatedForm):
    """A regulator over a utility in a county."""

    class Meta:
        model = Jurisdiction
        fields = ("rerra", "edc", "county")


class SalesForm(RecordForm):
    """What a utility distributed in a fiscal year."""

    class Meta:
        model = AnnualSales
        fields = ("edc", "year", "sales_mwh", "source")


class AffiliationForm(DatedForm):
    """An aggregator that is an affiliate of a utility."""

    class Meta:
        model = Affiliation
        fields = ("aggregator", "edc", "source")


class EndForm(forms.Form):
    """The first day without it."""

    on = day("It holds until", "the first day without it")


class ProgramForm(DatedForm):
    """Terms of a retail program. Who administers a utility drafts its terms, the operator those of all."""

    class Meta:
        model = RetailProgram
        fields = ("edc", "code", "name", "kind", "pays_for", "bars_wholesale", "tariff")

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        if "edc" in self.fields and not policy.operates(user, programs.PERMISSION):
            self.fields["edc"].queryset = of_kind(Organization.Kind.EDC).filter(pk__in=policy.reach(user, programs.PERMISSION))


class ProgramChangeForm(ProgramForm):
    """Other terms of a draft; the utility stays."""

    class Meta(ProgramForm.Meta):
        fields = ("code", "name", "kind", "pays_for", "bars_wholesale", "tariff")
