"""Forms of envelopes: order a run, and limit one DER of a set."""

from django import forms
from django.utils import timezone

from operations.network.forms import OfFeeder
from operations.outages.forms import moment
from registry.ders.models import Der


class OrderForm(OfFeeder):
    """A feeder and a window."""

    starts_at = moment("From", "local time of the utility's market", initial=timezone.now)
    hours = forms.IntegerField(label="Hours", min_value=1, max_value=48, initial=24)
    step_minutes = forms.TypedChoiceField(
        label="Interval", choices=[(5, "5 minutes"), (15, "15 minutes"), (30, "30 minutes"), (60, "60 minutes")], coerce=int, initial=30
    )


class EditForm(forms.Form):
    """An operator's own limits for one DER."""

    der = forms.UUIDField(label="DER id")
    least_kw = forms.FloatField(label="Least injection (kW)", help_text="negative: import")
    most_kw = forms.FloatField(label="Most injection (kW)")
    reason = forms.CharField(label="Reason", max_length=300)

    def __init__(self, *args, run, **kwargs):
        self.run = run
        super().__init__(*args, **kwargs)

    def clean_der(self) -> Der:
        found = Der.objects.filter(uuid=self.cleaned_data["der"], edc=self.run.edc_id).first()
        if found is None:
            raise forms.ValidationError("No DER of this utility has this id.")
        return found
