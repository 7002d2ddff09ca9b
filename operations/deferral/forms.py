"""What the benefit of an alarm is computed from."""

from django import forms

from operations.deferral.reports import Inputs


class InputsForm(forms.Form):
    """The inputs, each with the value that is taken without another."""

    cost_usd = forms.FloatField(label="Cost of the replacement (USD)", min_value=0, max_value=1e9, initial=Inputs.cost_usd)
    growth_percent = forms.FloatField(label="Growth of the peak (% a year)", min_value=0, max_value=100, initial=Inputs.growth_percent)
    discount_percent = forms.FloatField(label="Cost of capital (% a year)", min_value=0, max_value=100, initial=Inputs.discount_percent)
