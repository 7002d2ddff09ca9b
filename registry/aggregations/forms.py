"""Forms of aggregations: the record, its members by list, filter and file, and its response by node."""

from decimal import Decimal, InvalidOperation

from django import forms
from django.db.models import Exists, OuterRef
from django.utils import timezone

from moc.access import policy
from moc.access.models import Organization
from registry.aggregations.choices import Purpose
from registry.aggregations.models import AGENTS, Aggregation, AggregationMember
from registry.aggregations.services.membership import Terms
from registry.catalogue.models import GridService
from registry.ders.choices import technologies
from registry.ders.filters import DerFilterSet, counties
from registry.ders.models import Der
from registry.grid.models import Pnode, TdInterface

ACCEPTED = ".csv,.tsv,.txt,.xlsx,.ndjson,.jsonl,.json,.gz"
MOST_LISTED = 5_000
GROUPS = (
    (
        "What it offers",
        "RTO, node and participation model belong to wholesale services only.",
        "name purpose services tso participation_model",
    ),
    ("Where", "", "edc td_interface"),
    ("Who runs it", "Empty: the aggregator.", " ".join(AGENTS)),
    (
        "Performance",
        "Of all members together. Stating any of these states them all for the members of today.",
        "upper_limit_kw lower_limit_kw ramp_up_kw_per_min ramp_down_kw_per_min response_time_s",
    ),
)


def day(label: str, help_text: str = "") -> forms.DateField:
    return forms.DateField(
        label=label, help_text=help_text, required=False, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    )


def services(codes: list[str] | None = None) -> list[tuple[str, str]]:
    rows = GridService.objects.in_force() if codes is None else GridService.objects.filter(pk__in=codes)
    return [(service.pk, f"{service.name} ({service.get_level_display().lower()})") for service in rows]


def aggregators_of(user):
    """The aggregators for whom the user may build aggregations."""
    mine = policy.reach(user, "file_ders")
    return Organization.objects.filter(pk__in=mine, kind=Organization.Kind.AGGREGATOR, is_active=True).order_by("name")


class AggregationForm(forms.ModelForm):
    """An aggregation's facts. The service, not the form, saves them."""

    aggregator = forms.ModelChoiceField(label="Aggregator", queryset=Organization.objects.none(), empty_label=None)
    services = forms.MultipleChoiceField(label="Services sought", choices=services, required=False, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Aggregation
        fields = [name for _, _, names in GROUPS for name in names.split()]
        widgets = {"purpose": forms.RadioSelect}

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        mine = list(aggregators_of(user))
        self.fields["aggregator"].queryset = aggregators_of(user)
        self.only = mine[0] if len(mine) == 1 else None
        if self.only or self.instance.pk:
            del self.fields["aggregator"]
        self.fields["tso"].queryset = Organization.objects.filter(kind=Organization.Kind.TSO, is_active=True)
        self.fields["edc"].queryset = Organization.objects.filter(kind=Organization.Kind.EDC, is_active=True)
        self.fields["td_interface"].queryset = TdInterface.objects.order_by("name")
        self.fields["purpose"].choices = Purpose.choices
        for name in AGENTS:
            parties = [Organization.Kind.AGGREGATOR, Organization.Kind.EDC]
            self.fields[name].queryset = Organization.objects.filter(kind__in=parties, is_active=True)
            self.fields[name].required = False

    def _post_clean(self) -> None:
        """The service validates the whole record, with what the form does not know."""

    @property
    def builder(self) -> Organization:
        """For whom it is built."""
        return self.only or self.cleaned_data["aggregator"]

    def facts(self) -> dict:
        """What the service takes."""
        return {name: value for name, value in self.cleaned_data.items() if name != "aggregator"}


class MembersForm(forms.Form):
    """DERs by list or by filter, and on which terms they come or, with `leaving`, go."""

    LIST, FILTER = "list", "filter"

    how = forms.ChoiceField(
        label="Which DERs", choices=((LIST, "Those that I list"), (FILTER, "Those that match")), widget=forms.RadioSelect, initial=LIST
    )
    ders = forms.CharField(
        label="Ids",
        required=False,
        max_length=500_000,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="your own ids or DER ids, one a line",
    )
    der_type = forms.ChoiceField(label="Technology", required=False)
    edc = forms.ModelChoiceField(label="Utility", required=False, queryset=Organization.objects.none(), empty_label="All")
    county = forms.ChoiceField(label="County", required=False)
    feeder = forms.CharField(label="Feeder", required=False, max_length=40, help_text="the utility's code")
    nameplate_ac_kw_min = forms.DecimalField(label="At least (kW)", required=False, min_value=0)
    nameplate_ac_kw_max = forms.DecimalField(label="At most (kW)", required=False, min_value=0)
    services = forms.MultipleChoiceField(
        label="For these services",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="none ticked: all that the aggregation seeks",
    )
    share_percent = forms.DecimalField(
        label="Share of capacity (%)",
        required=False,
        min_value=Decimal("0.001"),
        max_value=100,
        max_digits=6,
        decimal_places=3,
        initial=100,
    )
    starts_on = day("From", "empty: today")
    ends_on = day("Until", "the first day on which they are no longer members; empty: until further notice")
    only_good = forms.BooleanField(label="Leave out those that cannot change", required=False)

    FILTERS = ("der_type", "county", "feeder", "nameplate_ac_kw_min", "nameplate_ac_kw_max")

    def __init__(self, *args, user, aggregation: Aggregation, leaving: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.user, self.aggregation, self.leaving = user, aggregation, leaving
        self.fields["der_type"].choices = [("", "All"), *technologies()]
        self.fields["county"].choices = [("", "All"), *counties()]
        self.fields["edc"].queryset = Organization.objects.filter(kind=Organization.Kind.EDC, is_active=True)
        self.fields["services"].choices = services(aggregation.services)
        if leaving:
            del self.fields["share_percent"], self.fields["starts_on"]
            self.fields["ends_on"].label = "Dropped from"
            self.fields["ends_on"].help_text = "the first day on which they are no longer members; empty: today"

    def clean(self) -> dict:
        given = super().clean()
        if given.get("how") == self.LIST:
            given["ids"] = given.get("ders", "").split()
            if not given["ids"]:
                self.add_error("ders", "List some DERs, or choose by what they are.")
            elif len(given["ids"]) > MOST_LISTED:
                self.add_error("ders", f"At most {MOST_LISTED:,} in a list: use a file.")
        return given

    def chosen(self):
        """The ids that were listed, or the queryset that the filter means: of an addition those that are not members yet."""
        given = self.cleaned_data
        if given["how"] == self.LIST:
            return given["ids"]
        own = AggregationMember.objects.filter(aggregation=self.aggregation, der=OuterRef("pk"))
        wanted = {name: given[name] for name in self.FILTERS if given[name] not in (None, "")}
        mine = Der.objects.visible_to(self.user).filter(aggregator=self.aggregation.aggregator_id)
        staying = own.not_over(self.terms().starts or timezone.localdate())
        rows = mine.filter(Exists(own)) if self.leaving else mine.registered().filter(~Exists(staying))
        return DerFilterSet(wanted | ({"edc": given["edc"].pk} if given["edc"] else {}), queryset=rows, user=self.user).qs

    def terms(self) -> Terms:
        """What the service is told of days, services and share."""
        given = self.cleaned_data
        named = {"ends": given["ends_on"], "services": tuple(given["services"])}
        if self.leaving:
            return Terms(**named)
        return Terms(starts=given["starts_on"], share=given["share_percent"] or Decimal(100), **named)


class FileForm(forms.Form):
    """A file of members that come or go."""

    file = forms.FileField(
        label="File",
        help_text="CSV, XLSX, NDJSON or JSON with the columns der, service, share_percent, from, until; only der is required.",
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        max_length=200,
    )
    act = forms.ChoiceField(
        label="The members in the file", choices=(("add", "are added"), ("drop", "are dropped")), widget=forms.RadioSelect, initial="add"
    )
    rows = forms.ChoiceField(
        label="If rows have errors",
        choices=(("all", "Change nothing"), ("good", "Take the good rows")),
        widget=forms.RadioSelect,
        initial="all",
    )


class EndAgentForm(forms.Form):
    """The day on which an agency ends."""

    ends_on = day("Ends on", "the first day without it; empty: today")


class FactorsForm(forms.Form):
    """The response by pricing node, one a line."""

    factors = forms.CharField(
        label="Factors", max_length=100_000, widget=forms.Textarea(attrs={"rows": 8}), help_text="one a line: node; factor. They sum to 1."
    )
    starts_on = day("From", "empty: today")

    def __init__(self, *args, aggregation: Aggregation, **kwargs):
        super().__init__(*args, **kwargs)
        self.aggregation = aggregation

    def clean_factors(self) -> dict[Pnode, Decimal]:
        lines = [line.rpartition(";") for line in self.cleaned_data["factors"].splitlines() if line.strip()]
        known = {
            node.name: node for node in Pnode.objects.filter(tso=self.aggregation.tso_id, name__in=[name.strip() for name, _, _ in lines])
        }
        found = {}
        for name, _, factor in lines:
            if name.strip() not in known:
                raise forms.ValidationError(f"The RTO has no node “{name.strip()}”.")
            try:
                found[known[name.strip()]] = Decimal(factor.strip())
            except InvalidOperation as error:
                raise forms.ValidationError(f"“{factor.strip()}” is no factor.") from error
        return found
