"""The form by which a utility loads a feeder's network."""

from django import forms

from operations.network.models import NetworkVersion
from registry.grid.forms import utilities_of
from registry.grid.models import Feeder


class FeederField(forms.CharField):
    """A feeder by its code, among those of the utilities whose grid the user manages."""

    def __init__(self, **kwargs):
        super().__init__(label="Feeder", max_length=40, help_text="your own code", **kwargs)


class OfFeeder(forms.Form):
    """A form about one feeder of the user's utilities."""

    feeder = FeederField()

    def __init__(self, *args, user, **kwargs):
        self.user = user
        super().__init__(*args, **kwargs)

    def clean_feeder(self) -> Feeder:
        found = list(Feeder.objects.filter(edc__in=utilities_of(self.user), code=self.cleaned_data["feeder"]).select_related("edc")[:2])
        if len(found) != 1:
            raise forms.ValidationError("No feeder of yours has this code." if not found else "Two of your utilities have this code.")
        return found[0]


class NetworkForm(OfFeeder):
    """A file of one feeder's network."""

    source = forms.ChoiceField(label="Kind of file", choices=NetworkVersion.Source.choices)
    file = forms.FileField(
        label="File",
        help_text=(
            "OpenDSS: .dss or .zip; CIM: .xml or .rdf; a table: .csv. Up to 100 MB unpacked. Points are named by your service points' ids."
        ),
        widget=forms.FileInput(attrs={"accept": ".dss,.zip,.csv,.xml,.rdf"}),
        max_length=200,
    )
