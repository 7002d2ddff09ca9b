"""The workplace's forms: a reason for every change, and periods of days."""

from django import forms
from django.contrib.postgres.forms import RangeWidget
from django.forms.renderers import DjangoTemplates


class ReasonForm(forms.ModelForm):
    """A record's form with the reason that its history will show."""

    default_renderer = DjangoTemplates

    reason = forms.CharField(
        label="Reason for the change",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It becomes part of the record's history.",
    )


class PeriodWidget(RangeWidget):
    """The first day of a period and the first day after it; either may be open."""

    def __init__(self, attrs=None):
        labels = ("First day", "First day after it")
        days = [forms.DateInput(attrs={"type": "date", "aria-label": label}, format="%Y-%m-%d") for label in labels]
        forms.MultiWidget.__init__(self, days, attrs)
