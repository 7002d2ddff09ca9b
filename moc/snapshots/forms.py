"""The form by which a snapshot is asked for."""

from django import forms

from moc.access.models import Organization
from moc.portal.moments import moment_of
from moc.snapshots.models import Snapshot


class SnapshotForm(forms.Form):
    """The instant and the kind of file; for whom, where the user may audit for several."""

    organization = forms.ModelChoiceField(label="For", queryset=Organization.objects.none(), empty_label=None)
    moment = forms.CharField(
        label="As recorded at",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="a past moment in the state's time; empty: now",
    )
    valid_on = forms.DateField(
        label="As valid on",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="of memberships, tenures, rule sets and the like those that hold on this day; empty: all",
    )
    format = forms.ChoiceField(label="Files", choices=Snapshot.Format.choices, widget=forms.RadioSelect, initial=Snapshot.Format.PARQUET)

    def __init__(self, *args, organizations, **kwargs):
        super().__init__(*args, **kwargs)
        if len(organizations) > 1:
            self.fields["organization"].queryset = organizations
        else:
            del self.fields["organization"]

    def clean_moment(self):
        given = self.cleaned_data["moment"]
        found = moment_of(given)
        if given and found is None:
            raise forms.ValidationError("Give a date and time that is past.")
        return found
