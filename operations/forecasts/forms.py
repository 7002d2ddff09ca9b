"""The form by which a utility loads meter data."""

from django import forms

from registry.grid.forms import utilities_of


class MeterDataForm(forms.Form):
    """A file of interval data."""

    edc = forms.ModelChoiceField(label="Utility", queryset=None)
    usage_point_id = forms.CharField(label="Service point", max_length=40, required=False, help_text="of a Green Button file")
    file = forms.FileField(
        label="File",
        help_text="Green Button XML, or CSV with usage_point_id, starts_at, minutes, kwh (injection positive).",
        widget=forms.FileInput(attrs={"accept": ".xml,.csv"}),
        max_length=200,
    )

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["edc"].queryset = utilities_of(user)
