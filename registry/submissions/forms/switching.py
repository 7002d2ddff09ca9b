"""Forms of look-ups, switches and objections."""

from django import forms
from django.utils import timezone

from moc.access.models import Organization
from registry.submissions.forms.filing import PartyForm
from registry.submissions.forms.reviewing import EVIDENCE
from registry.submissions.switching import SwitchNotice


class LookUpForm(PartyForm):
    """Two facts."""

    edc = forms.ModelChoiceField(
        Organization.objects.filter(kind=Organization.Kind.EDC, is_active=True).order_by("name"), label="Utility", empty_label=None
    )
    usage_point_id = forms.CharField(label="Service point", max_length=40, help_text="it is on the customer's bill")
    fact = forms.ChoiceField(
        label="Second fact",
        choices=(("account", "The customer's account with the utility"), ("serial_no", "A device's serial number")),
        widget=forms.RadioSelect,
        initial="account",
    )
    value = forms.CharField(label="Its value", max_length=80)
    field_order = ["edc", "usage_point_id", "fact", "value", "aggregator"]


class SwitchForm(forms.Form):
    """The customer's authorisation, and the first day."""

    starts_on = forms.DateField(label="First day with you", widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}))
    authorisation = forms.CharField(label="Reference of the customer's authorisation", max_length=80)
    evidence = forms.FileField(
        label="The signed authorisation",
        max_length=200,
        widget=forms.FileInput(attrs={"accept": EVIDENCE}),
        help_text="the utility reads it",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, initial={"starts_on": timezone.localdate()}, **kwargs)


class AnswerSwitchForm(forms.Form):
    """Agree, or object."""

    answer = forms.ChoiceField(label="Your answer", choices=(("agree", "Agree"), ("object", "Object")), widget=forms.RadioSelect)
    ground = forms.ChoiceField(
        label="Ground of the objection", choices=(("", "–"), *SwitchNotice.Ground.choices), required=False, help_text="only these count"
    )
    statement = forms.CharField(
        label="What shows it", max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4}), help_text="the utility reads it"
    )
