"""The form by which a utility loads grid records."""

from django import forms

from moc.access import policy
from moc.access.models import Organization
from registry.grid.models import GridLoad

ACCEPTED = ".csv,.tsv,.txt,.xlsx,.ndjson,.jsonl,.json,.gz"


class LoadForm(forms.Form):
    """A file of one kind of grid records, and what becomes of it when rows have errors."""

    ALL, GOOD = "all", "good"

    kind = forms.ChoiceField(label="Records", choices=GridLoad.Kind.choices, initial=GridLoad.Kind.SERVICE_POINTS)
    file = forms.FileField(
        label="File",
        help_text="CSV, XLSX, NDJSON or JSON, each also compressed with gzip; at most 1,000,000 rows, XLSX 100,000 rows.",
        widget=forms.FileInput(attrs={"accept": ACCEPTED}),
        max_length=200,
    )
    rows = forms.ChoiceField(
        label="If rows have errors",
        choices=((ALL, "Load nothing"), (GOOD, "Load the good rows")),
        widget=forms.RadioSelect,
        initial=ALL,
    )
    edc = forms.ModelChoiceField(label="Utility", queryset=Organization.objects.none(), empty_label=None)

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        mine = utilities_of(user)
        self.fields["edc"].queryset = mine
        found = list(mine[:2])
        if len(found) == 1:  # whoever manages one utility's grid is not asked
            self.fields["edc"].required, self.fields["edc"].widget, self.only = False, forms.HiddenInput(), found[0]

    only = None

    def clean_edc(self):
        return self.only or self.cleaned_data["edc"]


def utilities_of(user):
    """The utilities whose grid records the user may load."""
    mine = policy.reach(user, "manage_grid")
    return Organization.objects.filter(pk__in=mine, kind=Organization.Kind.EDC, is_active=True).order_by("name")
