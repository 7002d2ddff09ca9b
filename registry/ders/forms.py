"""Forms of the DER pages."""

from django import forms
from django.core.exceptions import ValidationError

from moc.portal.filters import parties
from moc.portal.moments import moment_of


class ThenForm(forms.Form):
    """A utility and a past day, whose end is meant."""

    utility = forms.TypedChoiceField(coerce=int)
    day = forms.CharField(label="As of the end of", widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args, user, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["utility"].choices = parties(user, {"edc"})["edc"]

    def clean_day(self):
        """The moment that the day ends."""
        moment = moment_of(self.cleaned_data["day"])
        if moment is None:
            raise ValidationError("Give a day that is over.")
        return moment
