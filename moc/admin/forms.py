"""The workplace's forms: a reason for every change, and periods of days."""

from django import forms
from django.contrib.postgres.forms import RangeWidget
from django.forms.renderers import DjangoTemplates

from moc.portal.versions import FIELD, Overtaken, require_version, version_of


class ReasonForm(forms.ModelForm):
    """A record's form with the reason that its history will show."""

    default_renderer = DjangoTemplates

    reason = forms.CharField(
        label="Reason for the change",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="It becomes part of the record's history.",
    )
    opened_version = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial[FIELD] = version_of(self.instance)

    def clean(self) -> dict:
        """Refuse a form that was opened before somebody else's change. The workplace saves in the transaction that checks."""
        if not self.instance._state.adding and (opened := self.cleaned_data.get(FIELD)):
            type(self.instance).objects.select_for_update(of=("self",)).get(pk=self.instance.pk)
            try:
                require_version(opened, self.instance)
            except Overtaken as refusal:
                raise forms.ValidationError(str(refusal)) from refusal
        return super().clean()


class PeriodWidget(RangeWidget):
    """The first day of a period and the first day after it; either may be open."""

    def __init__(self, attrs=None):
        labels = ("First day", "First day after it")
        days = [forms.DateInput(attrs={"type": "date", "aria-label": label}, format="%Y-%m-%d") for label in labels]
        forms.MultiWidget.__init__(self, days, attrs)
