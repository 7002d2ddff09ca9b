"""The form by which an aggregator answers an outage."""

from django import forms

from operations.responses.models import OutageResponse
from registry.aggregations.models import Aggregation


class ChoiceForm(forms.Form):
    """One of an outage's answers for one of its DER's aggregations."""

    aggregation = forms.ModelChoiceField(Aggregation.objects.none(), label="Aggregation", to_field_name="uuid")
    kind = forms.ChoiceField(label="Answer", choices=OutageResponse.Kind.choices, widget=forms.RadioSelect)
    reason = forms.CharField(label="Reason", max_length=300, required=False)

    def __init__(self, *args, aggregations, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["aggregation"].queryset = aggregations
        self.fields["aggregation"].initial = next((each.uuid for each in aggregations), None)
